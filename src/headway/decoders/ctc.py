"""All at once, without deciding on a length: every source element is given frames, and each writes a token or a blank.

Connectionist temporal classification (Graves et al. 2006), for new sequences by Libovický & Helcl 2018: the probability
of a sequence is that of all ways to spread it over the frames, so no frame needs to know what others write. Without
layers of its own the decoder is one product behind the encoder, and no pass through a decoder at all; with layers its
frames look at each other and at the source again, and it can be shown right tokens as it learns (glancing: Qian et al.
2021; Gu & Kong 2021).

The loss has no label smoothing: that spreads the target of a frame, and here no frame has one (DSLP trains without it,
too: Huang et al. 2022). It reads all tokens, UNKNOWN among them, which stands in targets; writing leaves out UNKNOWN,
BEGIN and END.
"""

from collections.abc import Sequence
from math import ceil
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from headway.batch import END, PAD, UNKNOWN, Loss, Memory, Part
from headway.decoders import TargetSizes
from headway.decoders._ctc_paths import FEW, Text, probable_texts, scored, texts_of
from headway.decoders._parallel import check_positions, different, elements, refuse, shown
from headway.decoders._reading import together
from headway.decoders._writer import Tie, Writer, source_lengths
from headway.errors import UsageError
from headway.functional.ctc import frames_needed as least_frames
from headway.functional.masks import padding
from headway.kernels.argmax import argmax
from headway.kernels.ctc import frames_needed, projected_best_path, projected_ctc
from headway.kernels.linear import Packed, linear
from headway.layers.blocks import BLOCKS
from headway.layers.decoder import DecoderStack, StackSettings
from headway.layers.encoder import EncoderSettings
from headway.layers.mixers import MIXERS
from headway.positions import POSITIONS
from headway.rows import Rows
from headway.search import Hypotheses, Hypothesis, Search
from headway.settings import Count


class Settings(StackSettings):
    layers: Annotated[int, Field(ge=0)] = 0  # pyright: ignore[reportIncompatibleVariableOverride]
    "Blocks of the decoder; 0 writes by the encoder's output alone, which is the fastest draft."
    upsample: Count | None = None
    "Frames for each source element; where none is given at least 2, and so many that 99.9 % of the targets fit."
    beam: Count = 1
    "Sequences that are followed side by side, each with all its paths; 1 takes the most probable path."
    tie: Tie = "output"
    "Which tables are one: none; the decoder's embedding and its output layer; or these and the source's embedding."


class CTC(Writer):
    """Frame i of a source element reads Wᵢ x + bᵢ of the encoder's vector x: bᵢ tells it its place in the group."""

    modes = ("nat",)
    glances = True
    widened_by = "upsample"

    def __init__(
        self, settings: Settings, shape: EncoderSettings, sizes: TargetSizes, source_table: nn.Parameter | None
    ):
        """Raises UsageError where nothing tells the order of what is written."""
        reads_tokens = settings.layers > 0 or settings.tie != "none"
        super().__init__(settings.tie if reads_tokens else "output", shape.width, sizes, source_table)
        self.upsample, self.beam = settings.upsample or max(2, ceil(sizes.ratio)), settings.beam
        self.spread = nn.Linear(shape.width, self.upsample * shape.width)
        self.stack: DecoderStack | None = None
        if settings.layers:
            check_positions(settings, shape)
            self.stack = DecoderStack(settings, shape, causal=False)
        else:
            _check_order(shape)
        self._packed: tuple[tuple[tuple[int, int], ...], Packed] | None = None

    # ------------------------------------------------------------------------------------------------------ training

    def collate(self, rows: Sequence[NDArray]) -> Part:
        """tokens (B, T), PAD behind the shorter rows."""
        return {"tokens": torch.from_numpy(Rows.of(list(rows)).padded(PAD).astype(np.int64))}

    def reaches(self, read: NDArray, targets: Sequence[NDArray]) -> NDArray:
        """Which have frames enough: one a token, and one between two that are equal."""
        needed = np.array([least_frames(target.tolist()) for target in targets], np.int64)
        return needed <= self.upsample * np.asarray(read, np.int64)

    def loss(self, memory: Memory, target: Part, smoothing: float, revealed: float = 0.0) -> Loss:
        """−log p of every target that has frames enough, over all ways to write it; there is no smoothing.

        revealed    frames that a first pass got wrong, measured by the most probable path to the target, decide how
                    many frames of that path are shown, blanks among them; the loss is that of the whole all the same
        """
        if revealed > 0 and self.stack is None:
            raise UsageError(
                "model.task.glancing shows right tokens to the layers of a decoder, and ctc has none here: set "
                "model.task.decoder.layers 1 or more (of a draft model.task.draft.layers), or model.task.glancing false"
            )
        tokens, frames = target["tokens"], self.frames(memory)
        lengths = (tokens != PAD).sum(-1)
        reached = frames_needed(tokens, lengths) <= frames
        count = float((lengths + 1)[reached].sum())
        learned = reached & (frames > 0)  # without frames nothing is written, for certain
        if not bool(learned.all()):
            rows = learned.nonzero()[:, 0]
            memory, tokens, frames, lengths = memory.select(rows), tokens[rows], frames[rows], lengths[rows]
        if not len(tokens):
            return Loss(0.0 * self.output_bias.sum(), count)
        inputs = self.begun(memory)
        if revealed > 0:
            inputs = self._glimpsed(inputs, memory, frames, tokens, lengths, revealed)
        states = self.states(inputs, memory, frames)
        total = projected_ctc(states, frames, self.output, self.output_bias, tokens, lengths)
        return Loss(total, count)

    def frames(self, memory: Memory) -> Tensor:
        """(B) frames of every source."""
        return self.upsample * elements(memory)

    def begun(self, memory: Memory) -> Tensor:
        """(B, L, D) what every frame begins with."""
        B, S, D = memory.x.shape
        return linear(memory.x, self.spread.weight, self.spread.bias).view(B, S * self.upsample, D)

    def states(self, inputs: Tensor, memory: Memory, frames: Tensor) -> Tensor:
        """(B, L, D) -> (B, L, D): behind the layers, where there are any."""
        if self.stack is None:
            return inputs
        return self.stack(inputs, memory, None if memory.keys is None else padding(frames, inputs.shape[1]))

    def _glimpsed(
        self, inputs: Tensor, memory: Memory, frames: Tensor, tokens: Tensor, lengths: Tensor, share: float
    ) -> Tensor:
        """The same inputs, some of them the vector of what the best path to the target writes there."""
        with torch.no_grad():
            states = self.states(inputs, memory, frames)
            right, own = projected_best_path(states, frames, self.output, self.output_bias, tokens, lengths)
            reveals = shown(own != right, padding(frames, right.shape[1]), share)
        return torch.where(reveals[..., None], self.vectors(right).to(inputs.dtype), inputs)

    # -------------------------------------------------------------------------------------------------------- writing

    def logits(self, memory: Memory) -> Tensor:
        """(B, L, V) of every frame, those of what is never written minus infinity."""
        B, S, _ = memory.x.shape
        x = memory.x if self.stack is None else self.states(self.begun(memory), memory, self.frames(memory))
        return self._head()(x.detach().flatten(0, 1)).view(B, S * self.upsample, self.sizes.vocabulary)

    def _head(self) -> Packed:
        """The output layer; without layers it and what stands before it are one matrix, (k × V, D)."""
        own = (self.output, self.output_bias, self.spread.weight, self.spread.bias)
        weights = tuple((p.data_ptr(), p._version) for p in own)
        if self._packed is None or self._packed[0] != weights:
            weight, bias = self.output.detach(), self.output_bias.detach()
            if self.stack is None:
                k, D = self.upsample, self.width
                bias = (self.spread.bias.detach().view(k, D) @ weight.T + bias).flatten()
                weight = (weight @ self.spread.weight.detach().view(k, D, D)).flatten(0, 1)
            bias = bias.clone().view(-1, self.sizes.vocabulary)
            bias[:, UNKNOWN : END + 1] = -torch.inf
            self._packed = weights, Packed(weight, bias.flatten())
        return self._packed[1]

    def generate(self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()) -> Hypotheses:
        """What the most probable path says; with `beam`, or where several are wanted, the most probable texts.

        Only where scores or a trace are wanted there are log probabilities: of each token given those before it, and
        that nothing follows, which together are that of the text over all its paths.
        """
        refuse(search)
        members = self._members(memory, others)
        if self.beam > 1 or search.nbest > 1:
            found = self._probable(members, max(self.beam, search.nbest), search.trace)
        elif search.scores or search.trace:
            log_p = _together(members)
            texts = [[text] for text in self._best(log_p, memory)]
            found = scored(log_p, self.frames(memory), texts, _calls(members), search.trace)
        else:
            logits = _together(members) if others else self.logits(memory)
            found = [[Hypothesis(text, calls=_calls(members))] for text in self._best(logits, memory)]
        return [different(hypotheses, search.limit)[: search.nbest] for hypotheses in found]

    def candidates(self, memory: Memory, number: int, limit: int | None = None) -> Hypotheses:
        """For each row up to so many different sequences, the most probable first."""
        found = self._probable([(self, memory)], number, trace=False)
        return [different(hypotheses, limit)[:number] for hypotheses in found]

    def _best(self, log_p: Tensor, memory: Memory) -> list[Text]:
        """What the most probable path of each row says; log_p (B, L, V) may be logits."""
        path = argmax(log_p.flatten(0, 1)).view(log_p.shape[:2])
        return texts_of(path.numpy(force=True), self._ends(memory))

    def _probable(self, members: "Members", number: int, trace: bool) -> Hypotheses:
        """Of each row the texts that prefix beam search finds, in the order of their whole probability."""
        log_p, memory = _together(members), members[0][1]
        likely, known = log_p.topk(min(FEW, log_p.shape[-1])).indices.tolist(), log_p.numpy(force=True)
        rows = zip(known, likely, self._ends(memory), strict=True)
        texts = [probable_texts(own[:end], few[:end], max(self.beam, 2 * number)) for own, few, end in rows]
        found = scored(log_p, self.frames(memory), texts, _calls(members), trace)
        return [sorted(hypotheses, key=lambda one: -one.score) for hypotheses in found]

    def _ends(self, memory: Memory) -> list[int]:
        """Frames of every source, as numbers."""
        return [self.upsample * length for length in source_lengths(memory)]

    def _members(self, memory: Memory, others: Sequence[tuple[Any, Memory]]) -> "Members":
        """This decoder and the further ones of an ensemble. Raises UsageError for one with other frames."""
        if any(not isinstance(other, CTC) or other.upsample != self.upsample for other, _ in others):
            raise UsageError(
                "these runs make no ensemble: what they write is averaged frame by frame, so model.task.decoder must "
                f"be ctc in all of them, with model.task.decoder.upsample {self.upsample}"
            )
        return [(self, memory), *others]


Members = list[tuple[CTC, Memory]]
"""The decoders of an ensemble, each with what its encoder made; one alone is an ensemble, too."""


def _together(members: Members) -> Tensor:
    """(B, L, V) log probabilities of every frame, of several decoders the mean of their probabilities."""
    return together([decoder.logits(memory).float().log_softmax(-1) for decoder, memory in members])


def _calls(members: Members) -> int:
    """Passes through a decoder stack: none where there are no layers."""
    return int(any(decoder.stack is not None for decoder, _ in members))


def _check_order(shape: EncoderSettings) -> None:
    """Raises UsageError for an encoder that tells no order, where nothing behind it does."""
    ordered = BLOCKS.part(BLOCKS.name_of(shape.block)).ordered or not MIXERS.part(MIXERS.name_of(shape.mixer)).compares
    if POSITIONS.name_of(shape.position) == "none" and not ordered:
        raise UsageError(
            "a ctc decoder without layers writes by the encoder's output alone, and an encoder without positions knows "
            "no order: every order of the same elements would be written alike. Set model.encoder.position sinusoidal, "
            "learned, rotary, alibi or relative, or a model.encoder.mixer that reads in order (convolution, "
            "recurrent, ssru), or model.encoder.block conformer, or model.task.decoder.layers 1 with a "
            "model.task.decoder.position"
        )
