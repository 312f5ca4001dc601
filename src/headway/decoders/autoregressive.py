"""One token after another: each step reads what is already written (Vaswani et al. 2017; Sutskever et al. 2014).

Training shows the right beginning at every position at once (teacher forcing) behind a mask that hides the future;
writing starts at BEGIN, takes its own output as the next input, and stops at END.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from headway.batch import BEGIN, END, PAD, UNKNOWN, Loss, Memory, Part
from headway.decoders import Decoder, TargetSizes
from headway.errors import UsageError
from headway.kernels.cross_entropy import projected_cross_entropy
from headway.layers.decoder import DecoderStack, StackSettings, StackState
from headway.layers.encoder import EncoderSettings
from headway.rows import Rows
from headway.search import Hypotheses, Search
from headway.search.beam import beam
from headway.search.greedy import greedy


class Settings(StackSettings):
    tie: Literal["none", "output", "all"] = "output"
    "Which tables are one: none; the decoder's embedding and its output layer; or these and the source's embedding."


class Autoregressive(Decoder):
    modes = ("greedy", "beam")

    def __init__(self, settings: Settings, shape: EncoderSettings, sizes: TargetSizes, source_table: nn.Parameter | None):
        super().__init__()
        self.sizes, self.width = sizes, shape.width
        if settings.tie == "all":
            if source_table is None or not sizes.shared:
                raise UsageError(
                    "tie: all shares one table between source and target, and they have different vocabularies; "
                    "set data.joint true (one vocabulary for both) or tie: output"
                )
            self.embedding = source_table
        else:
            self.embedding = nn.Parameter(torch.empty(sizes.vocabulary, shape.width).normal_(std=shape.width**-0.5))
        self.stack = DecoderStack(settings, shape, causal=True)
        self.output = self.embedding if settings.tie != "none" else nn.Parameter(self.embedding.detach().clone())
        self.output_bias = nn.Parameter(torch.zeros(sizes.vocabulary))

    # ------------------------------------------------------------------------------------------------------ training

    def collate(self, rows: Sequence[NDArray]) -> Part:
        """read (B, T) BEGIN and the tokens; write (B, T) the tokens and END; PAD behind the shorter rows."""
        tokens = Rows.of(rows)
        read = Rows.of([np.r_[BEGIN, row] for row in tokens]).padded(PAD)
        write = Rows.of([np.r_[row, END] for row in tokens]).padded(PAD)
        return {"read": torch.from_numpy(read.astype(np.int64)), "write": torch.from_numpy(write.astype(np.int64))}

    def loss(self, memory: Memory, target: Part, smoothing: float) -> Loss:
        """Cross entropy of every token given the right ones before it, summed over the tokens, END among them."""
        states = self.stack(self._vectors(target["read"]), memory)
        real = target["write"] != PAD
        total = projected_cross_entropy(states[real], self.output, self.output_bias, target["write"][real], smoothing)
        return Loss(total, int(real.sum()))

    def score(self, memory: Memory, target: Part) -> tuple[Tensor, Tensor]:
        """(B, T) the log probability of each token of a given target, END's last; (B, T) which are real."""
        logits = F.linear(self.stack(self._vectors(target["read"]), memory), self.output, self.output_bias).float()
        right = target["write"]
        real, own = right != PAD, logits.gather(-1, right[..., None])[..., 0]
        norm = _without_specials(logits).logsumexp(-1)
        norm = torch.where(right == UNKNOWN, norm.logaddexp(own), norm)  # never written, but it may be asked about
        return (own - norm).masked_fill(~real, 0.0), real

    # -------------------------------------------------------------------------------------------------------- writing

    def start(self, memory: Memory) -> StackState:
        """The state before BEGIN is read."""
        return self.stack.start(memory)

    def step(self, tokens: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        """(R) the last token of each row -> (R, V) logits of the next."""
        states = self.stack(self._vectors(tokens[:, None]), state.memory, state=state)
        return _without_specials(F.linear(states[:, 0], self.output, self.output_bias)), state

    def generate(self, memory: Memory, search: Search) -> Hypotheses:
        return generate([self], [memory], search)

    def _vectors(self, tokens: Tensor) -> Tensor:
        return F.embedding(tokens, self.embedding) * self.width**0.5


def _without_specials(logits: Tensor) -> Tensor:
    """Logits with which PAD, UNKNOWN and BEGIN are never written (in place)."""
    logits[..., :END] = -torch.inf
    return logits


def generate(decoders: Sequence[Autoregressive], memories: Sequence[Memory], search: Search) -> Hypotheses:
    """What one decoder writes, or several together: an ensemble averages their probabilities at every step."""
    memory, sizes = memories[0], decoders[0].sizes
    lengths = [memory.x.shape[1]] * len(memory.x) if memory.keys is None else memory.keys.sum(-1).tolist()
    limits = [search.limit or sizes.limit(length) for length in lengths]
    single = len(decoders) == 1
    step = decoders[0].step if single else _Together(decoders).step
    states = [decoder.start(memory) for decoder, memory in zip(decoders, memories, strict=True)]
    state = states[0] if single else _States(states)
    device = memory.x.device
    if search.mode == "greedy":
        return greedy(step, state, BEGIN, END, limits, device, search.prefixes, search.scores)
    penalty = search.length_penalty
    return beam(step, state, BEGIN, END, limits, device, search.beam, search.nbest, penalty, search.prefixes)


class _States:
    """The states of several decoders that write one sequence."""

    def __init__(self, states: Sequence[StackState]):
        self.states = states

    def select(self, rows: Tensor, same_sources: bool = False) -> None:
        for state in self.states:
            state.select(rows, same_sources)


class _Together:
    def __init__(self, decoders: Sequence[Autoregressive]):
        self.decoders = decoders

    def step(self, tokens: Tensor, together: _States) -> tuple[Tensor, _States]:
        """The logarithm of the mean of the decoders' probabilities."""
        log_p = [
            decoder.step(tokens, state)[0].float().log_softmax(-1)
            for decoder, state in zip(self.decoders, together.states, strict=True)
        ]
        return torch.stack(log_p).logsumexp(0) - np.log(len(log_p)), together
