"""Ours, in blocks of queries and computed again in backward: any normalizer, in memory that does not grow with T × S.

What causal masks, windows and padding forbid is skipped, so a window costs O(T × window); dropout comes from random
bytes. Sources: Rabe & Staats 2021, "Self-attention Does Not Need O(n²) Memory"; Beltagy et al. 2020, Longformer, for
the window.
"""

from torch import Tensor

from headway.kernels.attention import Engine, Request
from headway.kernels.attention._blockwise import Products, blockwise, refuses

ELEMENTS, ROWS = 2**18, 64
"""Of a block: a table of 1 MB, as large as a processor's own cache, and rows enough for a product to be worth it."""


class Blockwise(Engine):
    def refuses(self, request: Request) -> str | None:
        if not request.score.is_dot_product:
            return "the score is not a dot product of changed queries and keys"
        return refuses(request)

    def attention(self, request: Request) -> Tensor:
        q, k, scale = request.score.features(request.q, request.k)
        return blockwise(request, Products, (q * scale, k), ELEMENTS, ROWS)
