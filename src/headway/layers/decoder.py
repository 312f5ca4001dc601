"""The decoder's blocks: self-attention, cross-attention to the encoder's output, feed-forward, each with add & norm.

One stack serves both ways of writing: with `causal` a position sees only earlier ones and the sequence is written one
token after another; without it all positions see each other and are written at once.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from torch import Tensor, nn

from headway.batch import Memory
from headway.errors import UsageError
from headway.functional.masks import Mask
from headway.kernels.dropout import dropout
from headway.layers.encoder import EncoderSettings
from headway.layers.feedforward import FeedForward
from headway.layers.mixers import MIXERS, Look, position_for
from headway.layers.norm import Residual, norm_of
from headway.positions import POSITIONS
from headway.settings import Branch, Count


class StackSettings(Branch):
    layers: Count | None = None
    "Blocks of the decoder; as many as the encoder has where none is given."
    mixer: Annotated[Branch | None, MIXERS] = None
    "What lets the written positions exchange; the encoder's where none is given."
    cross: Annotated[Branch | None, MIXERS] = None
    "How the source is looked at, an attention; the decoder's own, the encoder's or plain attention if none is given."
    position: Annotated[Branch | None, POSITIONS] = None
    "How order is told; the encoder's where none is given."


class DecoderBlock(nn.Module):
    def __init__(self, settings: StackSettings, shape: EncoderSettings, causal: bool):
        super().__init__()
        self.mixer = MIXERS.build(settings.mixer or shape.mixer, shape.width, shape.dropout, causal)
        self.mixed = Residual(shape.norm, shape.norm_place, shape.width, shape.dropout)
        self.cross = MIXERS.build(cross_of(settings, shape), shape.width, shape.dropout)
        self.crossed = Residual(shape.norm, shape.norm_place, shape.width, shape.dropout)
        self.feedforward = FeedForward(shape.feedforward, shape.width, shape.hidden_width, shape.dropout)
        self.fed = Residual(shape.norm, shape.norm_place, shape.width, shape.dropout)

    def forward(self, y: Tensor, memory: Memory, own: Look, source: Look, state: tuple[Any, Any] | None) -> Tensor:
        own_state, cross_state = state or (None, None)
        y = self.mixed(y, lambda y: self.mixer(y, own, own_state))
        y = self.crossed(y, lambda y: self.cross(y, source, cross_state, memory.x))
        return self.fed(y, self.feedforward)


def cross_of(settings: StackSettings, shape: EncoderSettings) -> Branch:
    """The mixer that looks at the source: the first that compares, of those that are set. Raises UsageError."""
    if settings.cross is None:
        own = (mixer for mixer in (settings.mixer, shape.mixer) if mixer is not None and _compares(mixer))
        return next(own, None) or MIXERS.choose("attention")
    if not _compares(settings.cross):
        raise UsageError(
            f"the mixer {MIXERS.name_of(settings.cross)} compares no queries with keys, so it cannot look at a source: "
            "set cross attention, or leave it open; mixer is what the written positions exchange by"
        )
    return settings.cross


def _compares(mixer: Branch) -> bool:
    return MIXERS.part(MIXERS.name_of(mixer)).compares


@dataclass
class StackState:
    """What the stack keeps between steps: how many positions are written, and each block's own state."""

    memory: Memory
    source: Look
    blocks: list[tuple[Any, Any]]
    length: int = 0

    def select(self, rows: Tensor, same_sources: bool = False) -> None:
        """Go on with some rows, in the order asked; `same_sources` where every row keeps its source (a beam)."""
        for own, _ in self.blocks:
            own.select(rows)
        if not same_sources:
            self.memory = self.memory.select(rows)
            self.source = Look(Mask(self.memory.keys))
            for _, cross in self.blocks:
                cross.select(rows)

    def crop(self, length: int) -> None:
        """Forget the positions from `length` on."""
        self.length = min(self.length, length)
        for own, _ in self.blocks:
            own.crop(length)


class DecoderStack(nn.Module):
    """(B, T, D) vectors of the written sequence and the encoder's output in, (B, T, D) out."""

    def __init__(self, settings: StackSettings, shape: EncoderSettings, causal: bool):
        super().__init__()
        self.rate, self.causal = shape.dropout, causal
        mixer, position = settings.mixer or shape.mixer, settings.position or shape.position
        self.position = position_for(mixer, position, shape.width, causal)
        blocks = [DecoderBlock(settings, shape, causal) for _ in range(settings.layers or shape.layers)]
        self.blocks: list[DecoderBlock] = nn.ModuleList(blocks)  # type: ignore[assignment]
        self.norm = norm_of(shape.norm, shape.width) if shape.norm_place == "pre" else nn.Identity()

    def forward(self, y: Tensor, memory: Memory, keys: Tensor | None = None, state: StackState | None = None) -> Tensor:
        """With a state, y are the positions that follow those already written; the state is brought up to date.

        keys   (B, T) which positions of y are real; None where all are, as in every causal stack
        """
        offset = 0 if state is None else state.length
        T = y.shape[1]
        y = dropout(self.position.add(y, offset), self.rate if self.training else 0.0)
        bias = self.position.bias(T, offset + T, offset)
        own = Look(Mask(keys, causal=self.causal, offset=offset), bias, self.position, offset)
        source = Look(Mask(memory.keys)) if state is None else state.source
        for number, block in enumerate(self.blocks):
            y = block(y, memory, own, source, None if state is None else state.blocks[number])
        if state is not None:
            state.length += T
        return self.norm(y)

    def start(self, memory: Memory) -> StackState:
        """The state before anything is written."""
        source = Look(Mask(memory.keys))
        return StackState(
            memory, source, [(block.mixer.start(False), block.cross.start(True)) for block in self.blocks]
        )
