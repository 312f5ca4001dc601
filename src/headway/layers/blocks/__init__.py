"""What an encoder is built of, one on top of another: a mixer and feed-forward layers, each added & normed.

`block(x, look)` gives (B, S, D) for (B, S, D). It is built as `Block(settings, shape)`. One file each.
"""

from typing import ClassVar

from torch import Tensor, nn

from headway.layers.mixers import Look, Mixer
from headway.settings import Room


class Block(nn.Module):
    """`mixer` is what lets positions exchange; the residuals called `fed…` stand around feed-forward layers."""

    ordered: ClassVar[bool] = False
    "Whether it reads the elements in their order, whatever its mixer does."
    normed: ClassVar[bool] = False
    "Whether what it gives is normed, so that the encoder need not do it behind the last."
    mixer: Mixer

    def forward(self, x: Tensor, look: Look) -> Tensor:
        """(B, S, D) -> (B, S, D)."""
        raise NotImplementedError


BLOCKS = Room(__name__, Block, "block")
