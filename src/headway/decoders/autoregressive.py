"""One token after another: each step reads what is already written (Vaswani et al. 2017; Sutskever et al. 2014).

Training shows the right beginning at every position at once (teacher forcing) behind a mask that hides the future;
writing starts at BEGIN, takes its own output as the next input, and stops at END.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from headway.batch import BEGIN, END, PAD, UNKNOWN, Loss, Memory, Part
from headway.decoders import TargetSizes
from headway.decoders._writer import Tie, Writer, source_lengths, without_specials
from headway.kernels.cross_entropy import projected_cross_entropy
from headway.kernels.linear import Packed
from headway.layers.decoder import DecoderStack, StackSettings, StackState
from headway.layers.encoder import EncoderSettings
from headway.layers.frozen import FrozenStack, FrozenState, refuses
from headway.layers.mixers.attention import Attention, observed
from headway.rows import Rows
from headway.search import Hypotheses, Search
from headway.search.beam import beam
from headway.search.greedy import greedy


class Settings(StackSettings):
    tie: Tie = "output"
    "Which tables are one: none; the decoder's embedding and its output layer; or these and the source's embedding."


class Autoregressive(Writer):
    modes = ("greedy", "beam")

    def __init__(
        self, settings: Settings, shape: EncoderSettings, sizes: TargetSizes, source_table: nn.Parameter | None
    ):
        super().__init__(settings.tie, shape.width, sizes, source_table)
        self.stack = DecoderStack(settings, shape, causal=True)
        self._frozen: tuple[tuple[tuple[int, int], ...], FrozenStack, Packed] | None = None

    # ------------------------------------------------------------------------------------------------------ training

    def collate(self, rows: Sequence[NDArray]) -> Part:
        """read (B, T) BEGIN and the tokens; write (B, T) the tokens and END; PAD behind the shorter rows."""
        tokens = Rows.of(rows)
        read = Rows.of([np.r_[BEGIN, row] for row in tokens]).padded(PAD)
        write = Rows.of([np.r_[row, END] for row in tokens]).padded(PAD)
        return {"read": torch.from_numpy(read.astype(np.int64)), "write": torch.from_numpy(write.astype(np.int64))}

    def loss(self, memory: Memory, target: Part, smoothing: float, revealed: float = 0.0) -> Loss:
        """Cross entropy of every token given the right ones before it, summed over the tokens, END among them."""
        states = self.stack(self.vectors(target["read"]), memory)
        real = target["write"] != PAD
        total = projected_cross_entropy(states[real], self.output, self.output_bias, target["write"][real], smoothing)
        return Loss(total, float(real.sum()))

    def score(self, memory: Memory, target: Part) -> tuple[Tensor, Tensor]:
        """(B, T) the log probability of each token of a given target, END's last; (B, T) which are real."""
        logits = F.linear(self.stack(self.vectors(target["read"]), memory), self.output, self.output_bias).float()
        right = target["write"]
        real, own = right != PAD, logits.gather(-1, right[..., None])[..., 0]
        norm = without_specials(logits).logsumexp(-1)
        norm = torch.where(right == UNKNOWN, norm.logaddexp(own), norm)  # never written, but it may be asked about
        return (own - norm).masked_fill(~real, 0.0), real

    # -------------------------------------------------------------------------------------------------------- writing

    def start(self, memory: Memory) -> StackState | FrozenState:
        """The state before BEGIN is read: of the frozen stack where the model is not training and can be frozen."""
        if self.training or refuses(self.stack) is not None:
            return self.stack.start(memory)
        weights = tuple((p.data_ptr(), p._version) for p in self.parameters())
        if self._frozen is None or self._frozen[0] != weights:
            self._frozen = weights, FrozenStack(self.stack), Packed(self.output, self.output_bias)
        return self._frozen[1].start(memory)

    def step(self, tokens: Tensor, state: StackState | FrozenState) -> tuple[Tensor, StackState | FrozenState]:
        """(R) the last token of each row -> (R, V) logits of the next."""
        vectors = self.vectors(tokens[:, None])
        if isinstance(state, FrozenState) and self._frozen is not None:
            _, stack, output = self._frozen
            logits = output(stack(vectors, state)[:, 0])
        else:
            assert isinstance(state, StackState)
            logits = F.linear(self.stack(vectors, state.memory, state=state)[:, 0], self.output, self.output_bias)
        return without_specials(logits), state

    def generate(self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()) -> Hypotheses:
        limits = [
            self.sizes.limit(length) if search.limit is None else search.limit for length in source_lengths(memory)
        ]
        for positions in (decoder.stack.position.positions for decoder in (self, *(decoder for decoder, _ in others))):
            if positions is not None:  # the first is that of BEGIN
                limits = [min(limit, positions - 1) for limit in limits]
        writer = _Together([(self, memory), *others]) if others else self
        state, step, device = writer.start(memory), writer.step, memory.x.device
        if search.mode in ("auto", "greedy"):
            found = greedy(step, state, BEGIN, END, limits, device, search.prefixes, search.scores)
        else:
            penalty, prefixes = search.length_penalty, search.prefixes
            found = beam(step, state, BEGIN, END, limits, device, search.beam, search.nbest, penalty, prefixes)
        return self.aligned(memory, found) if search.alignments else found

    def aligned(self, memory: Memory, found: Hypotheses) -> Hypotheses:
        """The same with alignments: one pass over what was written, watching where its cross-attention looks.

        A token looks where the mean over all layers and heads is largest, at the moment when it is written. Where the
        source has no elements it looks nowhere, and the alignment is empty.
        """
        lengths = source_lengths(memory)
        if not any(lengths):
            return [[replace(hypothesis, alignment=()) for hypothesis in hypotheses] for hypotheses in found]
        layers = [block.cross for block in self.stack.blocks if isinstance(block.cross, Attention)]
        rows = [row for row, hypotheses in enumerate(found) for _ in hypotheses]
        flat = [hypothesis for hypotheses in found for hypothesis in hypotheses]
        read = self.collate([np.array(hypothesis.tokens, np.int32) for hypothesis in flat])["read"]
        repeated = memory.select(torch.tensor(rows, device=memory.x.device))
        with observed(layers) as seen:
            self.stack(self.vectors(read.to(memory.x.device)), repeated)
        weight, position = torch.stack([weights[0].mean(1) for weights in seen]).mean(0).max(-1)
        pairs = [list(zip(p, w, strict=True)) for p, w in zip(position.tolist(), weight.tolist(), strict=True)]
        flat = [
            replace(hypothesis, alignment=tuple(pair[: len(hypothesis.tokens)]) if lengths[row] else ())
            for row, hypothesis, pair in zip(rows, flat, pairs, strict=True)
        ]
        rest = iter(flat)
        return [[next(rest) for _ in hypotheses] for hypotheses in found]


class _Together:
    """An ensemble: several decoders write one sequence, their probabilities averaged at every step."""

    def __init__(self, members: Sequence[tuple[Any, Memory]]):
        self.members = members

    def start(self, memory: Memory) -> "_States":
        return _States([decoder.start(own) for decoder, own in self.members])

    def step(self, tokens: Tensor, together: "_States") -> tuple[Tensor, "_States"]:
        log_p = [
            decoder.step(tokens, state)[0].float().log_softmax(-1)
            for (decoder, _), state in zip(self.members, together.states, strict=True)
        ]
        return torch.stack(log_p).logsumexp(0) - math.log(len(log_p)), together


class _States:
    """The states of the members of an ensemble."""

    def __init__(self, states: Sequence[StackState | FrozenState]):
        self.states = states

    def select(self, rows: Tensor, same_sources: bool = False) -> None:
        for state in self.states:
            state.select(rows, same_sources)
