"""What a decoder writes with what it keeps between steps is what it writes when it reads all again at every step."""

import pytest
import torch
from torch import Tensor

from building import memory_of, writer
from comparing import close
from headway.batch import BEGIN, END, Memory
from headway.decoders.autoregressive import Autoregressive
from headway.layers.frozen import refuses
from headway.layers.mixers import MIXERS
from headway.search import Search
from headway.search.beam import beam
from headway.search.greedy import greedy

V, LENGTHS, LIMIT = 11, [4, 7, 5], 9
ATTENTION = {"kind": "attention", "heads": 3}
MIXER = pytest.mark.parametrize("mixer", [*MIXERS.names(), "gru"])
KINDS = {"attention": ATTENTION, "gru": {"kind": "recurrent", "cell": "gru"}}


def made(mixer: str) -> Autoregressive:
    return writer(V, {"settings": {"mixer": KINDS.get(mixer, mixer), "cross": ATTENTION}})


class Reread:
    """The state of a decoder that keeps nothing but what is written."""

    def __init__(self, memory: Memory):
        self.memory, self.written = memory, torch.zeros(len(memory.x), 0, dtype=torch.long)

    def select(self, rows: Tensor, same_sources: bool = False) -> None:
        self.memory, self.written = self.memory.select(rows), self.written[rows]


def rereading(decoder: Autoregressive):
    def step(tokens: Tensor, state: Reread) -> tuple[Tensor, Reread]:
        state.written = torch.cat([state.written, tokens[:, None]], 1)
        vectors = decoder.embedding[state.written] * decoder.width**0.5
        logits = decoder.stack(vectors, state.memory)[:, -1] @ decoder.output.T + decoder.output_bias
        logits[:, :END] = -torch.inf
        return logits, state

    return step


@MIXER
def test_greedy_and_beam_keep_what_they_need(mixer):
    decoder, memory = made(mixer), memory_of(LENGTHS)
    assert (refuses(decoder.stack) is None) == (mixer == "attention"), "only attention is written by frozen stacks"
    limits, device = [LIMIT] * len(LENGTHS), torch.device("cpu")
    with torch.inference_mode():
        found = decoder.generate(memory, Search("greedy", scores=True, limit=LIMIT))
        expected = greedy(rereading(decoder), Reread(memory), BEGIN, END, limits, device, scores=True)
        agree(found, expected)
        found = decoder.generate(memory, Search("beam", beam=3, nbest=3, limit=LIMIT))
        agree(found, beam(rereading(decoder), Reread(memory), BEGIN, END, limits, device, 3, 3))


def agree(found, expected) -> None:
    assert [[h.tokens for h in row] for row in found] == [[h.tokens for h in row] for row in expected]
    for row, other in zip(found, expected, strict=True):
        for hypothesis, wanted in zip(row, other, strict=True):
            assert hypothesis.log_p == pytest.approx(wanted.log_p, abs=1e-4)


@MIXER
def test_what_is_wrong_of_a_draft_is_taken_back(mixer):
    """A draft is read in one step; writing goes on from the part of it that is right."""
    decoder = made(mixer).double()
    memory, stack = memory_of(LENGTHS, dtype=torch.float64), decoder.stack
    tokens = torch.randint(4, V, (3, 9), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        vectors = decoder.embedding[tokens] * decoder.width**0.5
        whole, state = stack(vectors, memory), stack.start(memory)
        stack(vectors[:, :2], memory, state=state)
        for right in (2, 0, 4):
            begin = state.length
            draft = vectors[:, begin : begin + 4].clone()
            draft[:, right:] = draft[:, right:].flip(-1)
            stack(draft, memory, state=state)
            state.crop(begin + right)
        close(stack(vectors[:, 8:], memory, state=state), whole[:, 8:])
