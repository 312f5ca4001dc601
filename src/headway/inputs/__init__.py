"""How does a raw value become a row of vectors?  One file a kind. From there on everything is the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from headway.batch import Part
from headway.functional.masks import Mask
from headway.layers.encoder import EncoderSettings
from headway.settings import Branch, Room


@dataclass(frozen=True, slots=True)
class Vectors:
    """x (B, S, D) a row of vectors each; which elements may look at which; (B or 1, H or 1, S, S) a bias, or None."""

    x: Tensor
    mask: Mask
    bias: Tensor | None = None


class Input(nn.Module):
    """The module that turns a collated part into vectors; sizes that come from the data are arguments."""

    @classmethod
    def made(cls, settings: Branch, shape: EncoderSettings, sizes: Any) -> "Input":
        """Built for an encoder of this shape. Raises UsageError where the two do not fit together."""
        return cls(settings, shape.width, sizes)

    def collate(self, rows: Sequence[Any]) -> Part:
        """Rows of one batch as tensors."""
        raise NotImplementedError

    def forward(self, part: Part) -> Vectors:
        raise NotImplementedError


INPUTS = Room(__name__, Input, "input")
