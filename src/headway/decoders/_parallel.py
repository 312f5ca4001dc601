"""What the decoders have in common that write all tokens at once (Gu et al. 2018): non-autoregressive, NAT.

Every position begins with something that is known before anything is written, sees all others, and decides on its own
what it writes. Where positions begin alike and no order is told they cannot but write the same. Positions that turn
queries and keys, or are a bias on scores, are no help: all weights, whatever they are, sum up the same vector. So where
a stack's positions add nothing to its vectors, sinusoids are added to what it begins with.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from headway.batch import BEGIN, PAD, Memory, Part
from headway.decoders import TargetSizes
from headway.decoders._writer import Tie, Writer
from headway.errors import UsageError
from headway.functional.masks import padding
from headway.kernels.dropout import generator_for
from headway.layers.decoder import DecoderStack, StackSettings
from headway.layers.encoder import EncoderSettings
from headway.layers.mixers import MIXERS
from headway.positions import POSITIONS, Position
from headway.positions.sinusoidal import Settings as SinusoidalSettings
from headway.positions.sinusoidal import Sinusoidal
from headway.rows import Rows
from headway.search import Hypothesis, Search


class ParallelSettings(StackSettings):
    tie: Tie = "output"
    "Which tables are one: none; the decoder's embedding and its output layer; or these and the source's embedding."
    inputs: Literal["copy", "begin"] = "copy"
    "What every position begins with: the source's vectors, copied evenly over all positions, or BEGIN alone."


Members = list[tuple[Any, Memory]]
"""The decoders of an ensemble, each with what its encoder made; one alone is an ensemble, too."""


class Taught(NamedTuple):
    """What is to be written, of the rows that can be: the others have length 0.

    tokens     (B, T) PAD behind the shorter rows
    real       (B, T) which of them count
    read       (B) elements of the sources
    lengths    (B) tokens of the targets
    reached    (B) which targets can be written at all
    """

    tokens: Tensor
    real: Tensor
    read: Tensor
    lengths: Tensor
    reached: Tensor

    @property
    def count(self) -> float:
        """Their tokens, and one for each row's end."""
        return float(self.lengths.sum() + self.reached.sum())


class Parallel(Writer):
    modes: ClassVar[tuple[str, ...]] = ("nat",)

    def __init__(
        self,
        settings: ParallelSettings,
        shape: EncoderSettings,
        sizes: TargetSizes,
        source_table: nn.Parameter | None,
    ):
        """Raises UsageError where nothing would tell the positions apart."""
        super().__init__(settings.tie, shape.width, sizes, source_table)
        check_positions(settings, shape)
        self.inputs = settings.inputs
        self.stack = DecoderStack(settings, shape, causal=False)
        if POSITIONS.name_of(settings.position or shape.position) != "none" and not adds(self.stack.position):
            self.stack.position = Numbered(self.stack.position, shape.width)

    # ------------------------------------------------------------------------------------------------- what is learned

    def collate(self, rows: Sequence[NDArray]) -> Part:
        """tokens (B, T), PAD behind the shorter rows."""
        return {"tokens": torch.from_numpy(Rows.of(list(rows)).padded(PAD).astype(np.int64))}

    def fits(self, read: Tensor, lengths: Tensor) -> Tensor:
        """(N) whether so many tokens can be written for so many elements: no more than it has positions for."""
        positions = self.stack.position.positions
        return torch.ones_like(read, dtype=torch.bool) if positions is None else lengths <= positions

    def reaches(self, read: NDArray, targets: Sequence[NDArray]) -> NDArray:
        lengths = torch.tensor([len(target) for target in targets], dtype=torch.long)
        return self.fits(torch.as_tensor(np.asarray(read, np.int64)), lengths).numpy()

    def taught(self, memory: Memory, target: Part) -> Taught:
        """What of a batch can be learned."""
        read, tokens = elements(memory), target["tokens"]
        lengths = (tokens != PAD).sum(-1)
        reached = self.fits(read, lengths)
        lengths = lengths.where(reached, 0)
        tokens = F.pad(tokens, (0, 1), value=PAD)[:, : max(1, int(lengths.max()))]  # one position at least
        return Taught(tokens, padding(lengths, tokens.shape[1]), read, lengths, reached)

    # ------------------------------------------------------------------------------------------------ what is written

    def begun(self, memory: Memory, lengths: Tensor, room: int) -> Tensor:
        """(B, room, D) what every position begins with; lengths (B) of the sequences, 1 … room, sources copied over.

        Where a source has no elements there is nothing to copy, and BEGIN stands there.
        """
        begin = self.vectors(torch.full((len(lengths), room), BEGIN, device=memory.x.device))
        if self.inputs == "begin" or memory.x.shape[1] == 0:
            return begin
        x = memory.x.gather(1, copied(memory, lengths, room)[..., None].expand(-1, -1, memory.x.shape[-1]))
        empty = elements(memory) == 0
        return torch.where(empty[:, None, None], begin.to(x.dtype), x) if bool(empty.any()) else x

    def states(self, vectors: Tensor, memory: Memory, lengths: Tensor) -> Tensor:
        """(B, T, D) vectors of the positions -> (B, T, D): of each row the first `lengths` see each other."""
        T = vectors.shape[1]
        return self.stack(vectors, memory, None if bool((lengths == T).all()) else padding(lengths, T))

    def limits(self, memory: Memory) -> Tensor:
        """(B) tokens that are written at most for each source."""
        found = [self.sizes.limit(length) for length in elements(memory).tolist()]
        limits, positions = torch.tensor(found, device=memory.x.device), self.stack.position.positions
        return limits if positions is None else limits.clamp(max=positions)

    def members(self, memory: Memory, others: Sequence[tuple[Any, Memory]]) -> Members:
        """This decoder and the further ones of an ensemble. Raises UsageError for one that writes in another way."""
        for other, _ in others:
            if type(other) is not type(self):
                raise UsageError(
                    f"{type(self).__name__} and {type(other).__name__} make no ensemble: what they write is averaged "
                    "position by position, so model.task.decoder must be the same in all runs"
                )
        return [(self, memory), *others]


class Numbered(Position):
    """Positions that add nothing to the vectors, and sinusoids that are added."""

    def __init__(self, own: Position, width: int):
        super().__init__()
        self.own, self.added = own, Sinusoidal(SinusoidalSettings(), width, heads=1)
        self.positions, self.gives_bias = own.positions, own.gives_bias

    def add(self, x: Tensor, offset: int = 0) -> Tensor:
        return self.added.add(x, offset)

    def turn(self, x: Tensor, offset: int = 0) -> Tensor:
        return self.own.turn(x, offset)

    def bias(self, T: int, S: int, offset: int = 0) -> Tensor | None:
        return self.own.bias(T, S, offset)


def adds(position: Position) -> bool:
    """Whether a position is added to vectors, so that equal ones differ."""
    return type(position).add is not Position.add


def refuse(search: Search) -> None:
    """Raises UsageError for what only a decoder can do that writes one token after another."""
    for name, asked in (
        ("a forced prefix", search.prefixes is not None and any(map(len, search.prefixes))),
        ("an alignment", search.alignments),
    ):
        if asked:
            raise UsageError(
                f"{name} needs a decoder that writes one token after another, and this one writes all at once: leave "
                "it out, or take a run with model.task.decoder autoregressive"
            )


def elements(memory: Memory) -> Tensor:
    """(B) elements of every source."""
    if memory.keys is not None:
        return memory.keys.sum(-1)
    return torch.full((len(memory.x),), memory.x.shape[1], device=memory.x.device)


def copied(memory: Memory, lengths: Tensor, room: int) -> Tensor:
    """(B, room) the source position that each position copies: round(t (S − 1) / (T − 1)), the last behind its end."""
    last = (elements(memory) - 1).clamp_min(0)
    t = torch.arange(room, device=lengths.device)
    step = last / (lengths - 1).clamp_min(1)
    return torch.minimum((t * step[:, None]).round().long(), last[:, None])


def different(hypotheses: Sequence[Hypothesis], limit: int | None) -> list[Hypothesis]:
    """The same cut after so many tokens, each sequence once."""
    found: dict[tuple[int, ...], Hypothesis] = {}
    for hypothesis in hypotheses:
        cut = within(hypothesis, limit)
        found.setdefault(cut.tokens, cut)
    return list(found.values())


def within(hypothesis: Hypothesis, limit: int | None) -> Hypothesis:
    """The same, or its beginning where it is longer than the limit."""
    if limit is None or len(hypothesis.tokens) <= limit:
        return hypothesis
    return replace(hypothesis, tokens=hypothesis.tokens[:limit], log_p=hypothesis.log_p[:limit], finished=False)


def drawn(real: Tensor, number: Tensor) -> Tensor:
    """(B, T) as many of the real positions as `number` (B) says, each as probable as any other."""
    noise = torch.rand(real.shape, device=real.device, generator=generator_for(real)).masked_fill(~real, 2.0)
    return (noise.argsort(-1).argsort(-1) < number[:, None]) & real


def shown(wrong: Tensor, real: Tensor, share: float) -> Tensor:
    """(B, T) which positions are shown their right token: round(share × mistakes) of the real ones, drawn evenly.

    wrong, real (B, T) booleans: where a first pass was mistaken, and what counts (Qian et al. 2021, section 3.2)
    """
    return drawn(real, (share * (wrong & real).sum(-1)).round())


def check_positions(settings: StackSettings, shape: EncoderSettings) -> None:
    """Raises UsageError for a stack whose positions nothing tells apart."""
    mixer, position = settings.mixer or shape.mixer, settings.position or shape.position
    if POSITIONS.name_of(position) == "none" and MIXERS.part(MIXERS.name_of(mixer)).compares:
        raise UsageError(
            "a non-autoregressive decoder without positions writes the same token everywhere: all its positions begin "
            "alike, and attention does not know their order. Set model.task.decoder.position sinusoidal, learned, "
            "rotary, alibi or relative, or a mixer that reads in order (convolution, recurrent)"
        )
