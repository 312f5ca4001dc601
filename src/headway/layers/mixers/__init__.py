"""What lets positions exchange: interchangeable inside a block.  One file each.

`mixer(x, look, state)` gives (B, T, D) for (B, T, D). With a `memory` it asks x's questions of another sequence.
`state` is what step-by-step decoding keeps between calls; `look` is shared by all layers and made once per forward.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from headway.functional.masks import Mask
from headway.positions import Position
from headway.settings import Room


@dataclass(frozen=True, slots=True)
class Look:
    """Where each position may look, and what order it sees there.

    mask       which positions j position i may look at
    bias       (B or 1, H or 1, T, S) what is added to the scores; None for nothing
    position   turns queries and keys; None where order is not told this way (cross-attention)
    offset     the number of the first asking position, where earlier ones are in the state
    """

    mask: Mask
    bias: Tensor | None = None
    position: Position | None = None
    offset: int = 0


class Mixer(nn.Module):
    def forward(self, x: Tensor, look: Look, state: Any = None, memory: Tensor | None = None) -> Tensor:
        """(B, T, D) -> (B, T, D); the state, where one is given, is brought up to date."""
        raise NotImplementedError

    def start(self, cross: bool) -> Any:
        """The state before the first step."""
        raise NotImplementedError


MIXERS = Room(__name__, Mixer, "mixer")
