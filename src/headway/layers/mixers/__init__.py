"""What lets positions exchange: interchangeable inside a block.  One file each.

`mixer(x, look, state)` gives (B, T, D) for (B, T, D). With a `memory` it asks x's questions of another sequence.
`state` is what step-by-step decoding keeps between calls; `look` is shared by all layers and made once per forward.
It is built as `Mixer(settings, width, rate, causal)`; with `causal` it will only ever see earlier positions.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from headway.errors import UsageError
from headway.functional.masks import Mask
from headway.positions import POSITIONS, Position
from headway.settings import Branch, Room


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
    compares: ClassVar[bool] = True
    "Whether it compares queries with keys. Without them no mask but padding and `causal`, no bias, no memory."

    def forward(self, x: Tensor, look: Look, state: Any = None, memory: Tensor | None = None) -> Tensor:
        """(B, T, D) -> (B, T, D); the state, where one is given, is brought up to date."""
        raise NotImplementedError

    def start(self, cross: bool) -> Any:
        """The state before the first step."""
        raise NotImplementedError


MIXERS = Room(__name__, Mixer, "mixer")


def position_for(mixer: Branch, position: Branch, width: int, causal: bool) -> Position:
    """The position of a stack of these mixers. Where nothing is compared there is nothing that rotary could turn.

    Raises UsageError where the position is a bias on scores, and the mixer has no scores.
    """
    made = POSITIONS.build(position, width, getattr(mixer, "heads", 1), causal)
    name = MIXERS.name_of(mixer)
    if made.gives_bias and not MIXERS.part(name).compares:
        raise UsageError(
            f"the position {POSITIONS.name_of(position)} is a bias on scores, and the mixer {name} has no scores: "
            "it knows the order by itself; choose position none, or the mixer attention"
        )
    return made
