"""How alike are a query and a key?  One file each.

A score may first change every query and every key by itself (`queries`, `keys`); positions turn what comes of it, and
a cache keeps it. What then brings the two together is a dot product, and every engine computes it at once (`features`);
or w · tanh(q' + k'), whose parts are its `terms`; any other score implements `scores` alone and runs on the engines
that take it.
"""

from torch import Tensor, nn

from headway.functional import attention  # the module, for the file dot.py would hide a function of that name
from headway.settings import Room


class Score(nn.Module):
    """scores(q, k): (B, H, T, K), (B, H, S, K) -> (B, H, T, S), of queries and keys that went through the first two."""

    is_dot_product = True

    def queries(self, q: Tensor) -> Tensor:
        """(B, H, T, K) -> (B, H, T, K) what is done to each query before positions turn it."""
        return q

    def keys(self, k: Tensor) -> Tensor:
        """(B, H, S, K) -> (B, H, S, K) what is done to each key before positions turn it and a cache keeps it."""
        return k

    def features(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor, float]:
        """(q', k', scale) such that the score is scale × q' · k'."""
        raise NotImplementedError

    def terms(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(q' (B, H, T, A), k' (B, H, S, A), w (H, A)) such that the score is Σₐ wₐ tanh(q'ₐ + k'ₐ)."""
        raise NotImplementedError

    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        q, k, scale = self.features(q, k)
        return attention.dot(q * scale, k)


SCORES = Room(__name__, Score, "score")
