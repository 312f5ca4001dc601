"""What the decoders have in common that write all tokens at once (Gu et al. 2018): non-autoregressive, NAT.

Every position begins with something that is known before anything is written, sees all others, and decides on its own
what it writes. Where positions begin alike and no order is told they cannot but write the same.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headway.batch import BEGIN, PAD, Memory, Part
from headway.decoders import TargetSizes
from headway.decoders._writer import Tie, Writer
from headway.errors import UsageError
from headway.kernels.dropout import generator_for
from headway.layers.decoder import DecoderStack, StackSettings
from headway.layers.encoder import EncoderSettings
from headway.layers.mixers import MIXERS
from headway.positions import POSITIONS
from headway.rows import Rows


class ParallelSettings(StackSettings):
    tie: Tie = "output"
    "Which tables are one: none; the decoder's embedding and its output layer; or these and the source's embedding."
    inputs: Literal["copy", "begin"] = "copy"
    "What every position begins with: the source's vectors, copied evenly over all positions, or BEGIN alone."


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

    def collate(self, rows: Sequence[NDArray]) -> Part:
        """tokens (B, T), PAD behind the shorter rows."""
        return {"tokens": torch.from_numpy(Rows.of(list(rows)).padded(PAD).astype(np.int64))}

    def begun(self, memory: Memory, lengths: Tensor, room: int) -> Tensor:
        """(B, room, D) what every position begins with; lengths (B) of the sequences, 1 … room, sources copied over."""
        if self.inputs == "begin":
            return self.vectors(torch.full((len(lengths), room), BEGIN, device=memory.x.device))
        return memory.x.gather(1, copied(memory, lengths, room)[..., None].expand(-1, -1, memory.x.shape[-1]))


def copied(memory: Memory, lengths: Tensor, room: int) -> Tensor:
    """(B, room) the source position that each position copies: round(t (S − 1) / (T − 1)), the last behind its end."""
    S = torch.full_like(lengths, memory.x.shape[1]) if memory.keys is None else memory.keys.sum(-1)
    t = torch.arange(room, device=lengths.device)
    step = (S - 1).clamp_min(0) / (lengths - 1).clamp_min(1)
    return torch.minimum((t * step[:, None]).round().long(), (S - 1).clamp_min(0)[:, None])


def shown(wrong: Tensor, real: Tensor, share: float) -> Tensor:
    """(B, T) which positions are shown their right token: round(share × mistakes) of the real ones, drawn evenly.

    wrong, real (B, T) booleans: where a first pass was mistaken, and what counts (Qian et al. 2021, section 3.2)
    """
    number = (share * (wrong & real).sum(-1, keepdim=True)).round()
    noise = torch.rand(real.shape, device=real.device, generator=generator_for(real)).masked_fill(~real, 2.0)
    return (noise.argsort(-1).argsort(-1) < number) & real


def check_positions(settings: StackSettings, shape: EncoderSettings) -> None:
    """Raises UsageError for a stack whose positions nothing tells apart."""
    mixer, position = settings.mixer or shape.mixer, settings.position or shape.position
    if POSITIONS.name_of(position) == "none" and MIXERS.part(MIXERS.name_of(mixer)).compares:
        raise UsageError(
            "a non-autoregressive decoder without positions writes the same token everywhere: all its positions begin "
            "alike, and attention does not know their order. Set model.task.decoder.position sinusoidal, learned, "
            "rotary, alibi or relative, or a mixer that reads in order (convolution, recurrent)"
        )
