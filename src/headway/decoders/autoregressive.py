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
from headway.search import Choice, Hypotheses, Hypothesis, Search
from headway.search.beam import beam
from headway.search.greedy import greedy
from headway.search.guesses import Guesses
from headway.search.sample import sample
from headway.search.verify import Rules, verify, verify_together

CLOSE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.bfloat16: 0.25}
"""How near logits about 20 are whose order another order of sums may change: four times what was measured.

Blocks and steps of 3 to 6 layers, 128 to 512 wide, with every mixer: 1.1e-5 at logits up to 25, 4.4e-5 at 100.
"""


ROOM, GUESSED = 2**24, 16
"""Logits that exist at once where rows are verified together (64 MiB); tokens a call where there are no drafts."""


class Settings(StackSettings):
    tie: Tie = "output"
    "Which tables are one: none; the decoder's embedding and its output layer; or these and the source's embedding."


class Autoregressive(Writer):
    modes = ("greedy", "beam", "sample", "verify")

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
        logits, state = self.extend(tokens[:, None], state)
        return logits[:, 0], state

    def extend(self, tokens: Tensor, state: StackState | FrozenState) -> tuple[Tensor, StackState | FrozenState]:
        """(R, T) tokens that follow what was read -> (R, T, V) logits behind each."""
        vectors = self.vectors(tokens)
        if isinstance(state, FrozenState) and self._frozen is not None:
            _, stack, output = self._frozen
            logits = output(stack(vectors, state).flatten(0, 1)).unflatten(0, tokens.shape)
        else:
            assert isinstance(state, StackState)
            logits = F.linear(self.stack(vectors, state.memory, state=state), self.output, self.output_bias)
        return without_specials(logits), state

    def generate(self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()) -> Hypotheses:
        if search.mode == "verify" and not others:
            return self.verified(memory, search, [None] * len(memory.x))
        limits = self._limits(memory, search, [self, *(decoder for decoder, _ in others)])
        writer = _Together([(self, memory), *others]) if others else self
        begun = writer.step, writer.start(memory), BEGIN, END, limits, memory.x.device
        how = search.prefixes, search.scores, search.trace, search.watch
        close = _close(memory.x.dtype) if len(limits) > 1 else 0.0
        if search.mode == "beam":
            width = search.beam, search.nbest, search.length_penalty
            found = beam(*begun, *width, search.prefixes, search.watch, close)
        elif search.mode == "sample":
            numbers = [0] * len(limits) if search.numbers is None else search.numbers
            cuts = search.temperature, search.top_k, search.top_p
            found = sample(*begun, search.seed, numbers, *cuts, *how)
        else:
            found = greedy(*begun, *how, close)
        return self.aligned(memory, found) if search.alignments else found

    def verified(self, memory: Memory, search: Search, drafts: Sequence[Hypothesis | None]) -> Hypotheses:
        """What greedy writes, in fewer calls the better the drafts are; without one guesses are copied."""
        device, close = memory.x.device, _close(memory.x.dtype)
        limits, prefixes = self._limits(memory, search, [self]), search.prefixes or [()] * len(memory.x)
        rules = [
            Rules(BEGIN, END, limit, tuple(prefix), close, search.tolerance, search.scores, search.trace)
            for limit, prefix in zip(limits, prefixes, strict=True)
        ]

        def guesses(row: int) -> Guesses:
            draft, begun = drafts[row], len(rules[row].prefix)
            source = () if search.sources is None else search.sources[row]
            if draft is None:
                return Guesses(BEGIN, END, None, (), source)
            return Guesses(BEGIN, END, draft.tokens[begun:], draft.log_p[begun:], source)

        def alone(row: int) -> Hypothesis:
            return verify(self.extend, self.start(_alone(memory, row)), rules[row], guesses(row), device, search.watch)

        found: dict[int, Hypothesis] = {}
        for rows in self._together(drafts):
            if len(rows) == 1:
                found[rows[0]] = alone(rows[0])
                continue
            state = self.start(memory.select(torch.tensor(rows, device=device)))
            which = [rules[row] for row in rows], [guesses(row) for row in rows]
            for row, one in zip(rows, verify_together(self.extend, state, *which, device, search.watch), strict=True):
                found[row] = _later(alone(row), one.calls) if one.close else one
        whole = [[_behind(draft, found[row])] for row, draft in enumerate(drafts)]
        return self.aligned(memory, whole) if search.alignments else whole

    def _together(self, drafts: Sequence[Hypothesis | None]) -> list[list[int]]:
        """Rows that are verified in the same calls: those with drafts of about the same length, ROOM logits a call."""
        lengths = [GUESSED if draft is None else len(draft.tokens) + 1 for draft in drafts]
        order = sorted(range(len(lengths)), key=lengths.__getitem__)
        number = max(1, ROOM // (len(self.output) * (1 + max(lengths, default=0))))
        return [order[start : start + number] for start in range(0, len(order), number)]

    def scored(self, memory: Memory, rows: Sequence[int], sequences: Sequence[Sequence[int]]) -> list[list[float]]:
        """The log probability of every token of given sequences (END's last), for the row of the memory of each."""
        device = memory.x.device
        target = self.collate([np.array(tokens, np.int32) for tokens in sequences])
        repeated = memory.select(torch.tensor(rows, device=device))
        log_p, _ = self.score(repeated, {name: tensor.to(device) for name, tensor in target.items()})
        return [chances[: len(tokens) + 1] for chances, tokens in zip(log_p.tolist(), sequences, strict=True)]

    def _limits(self, memory: Memory, search: Search, decoders: Sequence[Any]) -> list[int]:
        """Tokens that each row may have."""
        limits = [
            self.sizes.limit(length) if search.limit is None else search.limit for length in source_lengths(memory)
        ]
        for positions in (decoder.stack.position.positions for decoder in decoders):
            if positions is not None:  # the first is that of BEGIN
                limits = [min(limit, positions - 1) for limit in limits]
        return limits

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


def _close(kind: torch.dtype) -> float:
    rounded = kind == torch.float32 and torch.get_float32_matmul_precision() != "highest"
    return CLOSE[torch.bfloat16 if rounded or kind not in CLOSE else kind]


def _alone(memory: Memory, row: int) -> Memory:
    """One row, without the padding behind it."""
    x, keys = memory.x[row : row + 1], None if memory.keys is None else memory.keys[row : row + 1]
    number = 0 if keys is None else int(keys.sum())
    if keys is None or not number or not keys[0, :number].all():
        return Memory(x, keys)
    return Memory(x[:, :number])


def _later(one: Hypothesis, calls: int) -> Hypothesis:
    """What so many calls of others came before."""
    trace = None if one.trace is None else tuple(replace(each, call=each.call + calls) for each in one.trace)
    return replace(one, calls=one.calls + calls, trace=trace)


def _behind(draft: Hypothesis | None, one: Hypothesis) -> Hypothesis:
    """What was verified, with the passes of its draft before its own, and where that is told what the draft was."""
    if draft is None:
        return one
    one = _later(one, draft.calls)
    if one.trace is None:
        return one
    chances = (*draft.log_p, *[0.0] * len(draft.tokens))
    drafted = [Choice("draft", n, token, chances[n]) for n, token in enumerate(draft.tokens)]
    return replace(one, trace=(*drafted, *one.trace))


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
