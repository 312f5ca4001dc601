"""Mask-predict: how many are masked, which, what is read where, with answers from a script; the loss by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from building import memory_of, no_gradient_is_missing, shape, stirred
from comparing import close
from headway.batch import BEGIN, END, Memory
from headway.decoders import TargetSizes
from headway.decoders.length import Length
from headway.decoders.length import Settings as LengthSettings
from headway.decoders.mask_predict import MaskPredict, Settings, least
from headway.functional.masks import padding
from headway.search import Hypothesis, Search

V, LENGTHS = 11, [4, 7, 5]
TARGETS = [np.array([5, 7, 4, 10, 6], np.int32), np.array([9], np.int32), np.array([4, 4], np.int32)]


def made(seed: int = 3, **settings) -> MaskPredict:
    chosen = Settings(**{"reach": 8, **settings})
    return stirred(MaskPredict(chosen, shape(), TargetSizes(V, 1.0, 6), None), seed).eval()


def alone(memory: Memory, row: int) -> Memory:
    return Memory(memory.x[row : row + 1, : LENGTHS[row]], None)


# ------------------------------------------------------------------------------------------------------------- writing


class Script:
    """A decoder of known answers: for every pass a row of (token, probability) for each position."""

    def __init__(self, decoder: MaskPredict, passes: list[list[tuple[int, float]]], monkeypatch: pytest.MonkeyPatch):
        self.decoder, self.passes = decoder, passes
        self.read: list[list[int | None]] = []
        monkeypatch.setattr(decoder, "states", self.states)
        with torch.no_grad():
            decoder.output.copy_(torch.eye(V, 12))
            decoder.output_bias.zero_()

    def states(self, vectors: Tensor, memory: Memory, lengths: Tensor) -> Tensor:
        table = torch.cat([self.decoder.vectors(torch.tensor([BEGIN])), self.decoder.vectors(torch.arange(4, V))])
        near = torch.cdist(vectors[0], table).argmin(-1).tolist()
        self.read.append([None if n == 0 else n + 3 for n in near])
        answers = self.passes[len(self.read) - 1]
        logits = torch.full((1, len(answers), 12), math.log(1e-9))
        for t, (token, p) in enumerate(answers):
            logits[0, t, token] = math.log(p)
            logits[0, t, 10 if token != 10 else 9] = math.log(1 - p)
        return logits


def test_the_least_probable_are_asked_again_and_the_rest_stays(monkeypatch):
    """Four tokens in four rounds: 4, then floor(4 · 3/4) = 3, 2 and 1 of them."""
    decoder = made(rounds=4, tie="none")
    script = Script(
        decoder,
        [
            [(4, 0.9), (5, 0.6), (6, 0.7), (7, 0.8)],
            [(8, 0.99), (5, 0.95), (4, 0.65), (7, 0.85)],  # the first is kept as it was, whatever is said now
            [(8, 0.99), (5, 0.5), (6, 0.55), (8, 0.75)],  # 0.65 and 0.85 are asked again
            [(9, 0.9), (9, 0.9), (8, 0.97), (9, 0.9)],  # 0.55 is asked again
        ],
        monkeypatch,
    )
    with torch.no_grad():
        (found,) = decoder.write([(decoder, memory_of([4]))], torch.tensor([4]), trace=True)
    assert script.read == [[None] * 4, [4, None, None, None], [4, 5, None, None], [4, 5, None, 8]]
    assert found.tokens == (4, 5, 8, 8) and found.calls == 4
    assert [math.exp(p) for p in found.log_p] == pytest.approx([0.9, 0.95, 0.97, 0.75], abs=1e-3)
    assert [(c.call, c.where, c.taken) for c in found.trace] == [
        *((0, t, token) for t, token in enumerate([4, 5, 6, 7])),
        *((1, t, token) for t, token in ((1, 5), (2, 4), (3, 7))),
        *((2, 2, 6), (2, 3, 8), (3, 2, 8)),
    ]


def test_it_stops_when_nothing_is_masked_any_more(monkeypatch):
    """Two tokens in four rounds: 2, floor(2 · 3/4) = 1, 1, and none."""
    decoder = made(rounds=4, tie="none")
    script = Script(decoder, [[(4, 0.9), (5, 0.6)], [(4, 0.9), (6, 0.7)], [(4, 0.9), (7, 0.8)]], monkeypatch)
    with torch.no_grad():
        (found,) = decoder.write([(decoder, memory_of([4]))], torch.tensor([2]), trace=False)
    assert script.read == [[None, None], [4, None], [4, None]]
    assert (found.tokens, found.calls, found.trace) == ((4, 7), 3, None)


@given(st.integers(1, 12), st.integers(1, 12))
def test_a_row_takes_as_many_passes_as_it_has_rounds_with_something_masked(length, rounds):
    decoder = made(rounds=rounds)
    with torch.no_grad():
        found = decoder.write([(decoder, memory_of([3, 3]))], torch.tensor([length, 5]), trace=False)
    for hypothesis, T in zip(found, (length, 5), strict=True):
        assert hypothesis.calls == sum(math.floor(T * (rounds - i) / rounds) > 0 for i in range(rounds))
        assert len(hypothesis.tokens) == len(hypothesis.log_p) == T


@given(st.integers(0, 2**20))
def test_the_least_are_the_least_and_real(seed):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, 8, (3,), generator=generator)
    log_p, real = -torch.rand(3, 7, generator=generator).round(decimals=1), padding(lengths, 7)
    number = (lengths * torch.rand(3, generator=generator)).long()
    for row, found in enumerate(least(log_p, real, number)):
        order = sorted(range(int(lengths[row])), key=lambda t: (float(log_p[row, t]), t))
        assert found.nonzero()[:, 0].tolist() == sorted(order[: int(number[row])])


def test_one_round_is_a_length_and_all_tokens_at_once():
    decoder, memory = made(rounds=1), memory_of(LENGTHS)
    other = Length(LengthSettings(reach=8, inputs="begin"), shape(), TargetSizes(V, 1.0, 6), None).eval()
    other.load_state_dict(decoder.state_dict())
    with torch.no_grad():
        assert decoder.generate(memory, Search()) == other.generate(memory, Search())


def test_an_ensemble_averages_in_every_round():
    both, memory = [made(seed, rounds=2) for seed in (3, 4)], memory_of([5])
    lengths = torch.tensor([4])
    with torch.no_grad():
        (found,) = both[0].write([(decoder, memory) for decoder in both], lengths, trace=False)
        tokens, log_p = torch.zeros(1, 4, dtype=torch.long), torch.zeros(1, 4)
        for masked in (torch.ones(1, 4, dtype=torch.bool), None):
            if masked is None:
                masked = torch.zeros(1, 4, dtype=torch.bool).scatter_(1, log_p.argsort(-1)[:, :2], True)
            p = torch.zeros(4, V)
            for decoder in both:
                vectors = decoder.filled(decoder.begun(memory, lengths, 4), tokens, masked)
                logits = F.linear(decoder.stack(vectors, memory), decoder.output, decoder.output_bias)[0]
                logits[:, : END + 1] = -torch.inf
                p += logits.softmax(-1) / 2
            best = p.log().max(-1)
            tokens[masked], log_p[masked] = best.indices[masked[0]], best.values[masked[0]]
    assert found.tokens == tuple(tokens[0].tolist()) and found.log_p == pytest.approx(log_p[0].tolist(), abs=1e-5)


def test_several_lengths_are_filled_side_by_side_and_the_surest_is_taken(monkeypatch):
    decoder, asked = made(lengths=2), []

    def write(members, lengths: Tensor, trace: bool) -> list[Hypothesis]:
        asked.append(lengths.tolist())
        return [Hypothesis((5,) * n, (-20.0 + n,) * n, calls=4) for n in lengths.tolist()]

    monkeypatch.setattr(decoder, "write", write)
    with torch.no_grad():
        decoder.length.weight.zero_()
        decoder.length.bias.copy_(torch.where(torch.arange(16) % 3 == 0, 5.0, torch.arange(16) / 16))
        decoder.length.bias[[8, 10]] = torch.tensor([9.0, 8.0])  # as long as the source, or two more
        found = decoder.generate(memory_of(LENGTHS), Search())
    assert asked == [[4, 6, 7, 9, 5, 7]]
    assert [(len(h.tokens), h.calls) for (h,) in found] == [(6, 4), (9, 4), (7, 4)]


# ------------------------------------------------------------------------------------------------------------ learning


def test_as_many_are_masked_as_are_left_each_number_as_often():
    decoder = made()
    taught = decoder.taught(memory_of([3] * 3000), decoder.collate([np.array([5, 6, 7, 8], np.int32)] * 3000))
    masked = decoder.masked(taught)
    numbers = masked.sum(-1)
    assert set(numbers.tolist()) == {1, 2, 3, 4}
    assert all(abs((numbers == n).double().mean() - 0.25) < 0.04 for n in (1, 2, 3, 4))
    assert (masked.double().mean(0) - 2.5 / 4).abs().max() < 0.04
    counts = (numbers * 2 * 4 / 5).double()  # what a row counts: T on average
    assert float(counts.mean()) == pytest.approx(4, abs=0.1)


def test_padding_is_never_masked_and_no_row_is_left_whole():
    decoder = made()
    taught = decoder.taught(memory_of(LENGTHS * 50), decoder.collate(TARGETS * 50))
    masked = decoder.masked(taught)
    assert not (masked & ~taught.real).any() and masked.any(-1).all()


@pytest.mark.parametrize("inputs", ["begin", "copy"])
def test_the_loss_is_that_of_the_masked_ones_given_the_others(inputs, monkeypatch):
    decoder, memory = made(inputs=inputs).train(), memory_of(LENGTHS)
    masked = torch.zeros(3, 5, dtype=torch.bool)
    masked[0, [1, 4]], masked[1, 0], masked[2, 1] = True, True, True
    monkeypatch.setattr(decoder, "masked", lambda taught: masked)
    loss = decoder.loss(memory, decoder.collate(TARGETS), 0.0)
    expected = decoder.length_loss(memory, decoder.taught(memory, decoder.collate(TARGETS)))
    for row, target in enumerate(TARGETS):
        single, T, right = alone(memory, row), len(target), torch.from_numpy(target).long()
        hidden = masked[row, :T]
        vectors = torch.where(hidden[:, None], decoder.begun(single, torch.tensor([T]), T), decoder.vectors(right))
        log_p = F.linear(decoder.stack(vectors, single), decoder.output, decoder.output_bias)[0].log_softmax(-1)
        expected = expected - 2 * T / (T + 1) * log_p[torch.arange(T), right][hidden].sum()
    close(loss.total, expected, 1e-4)
    assert loss.count == 11
    no_gradient_is_missing(decoder, loss.total)


def test_outside_training_all_are_masked():
    decoder, memory = made(), memory_of(LENGTHS)
    first, second = (decoder.loss(memory, decoder.collate(TARGETS), 0.1) for _ in range(2))
    other = Length(LengthSettings(reach=8, inputs="begin"), shape(), TargetSizes(V, 1.0, 6), None).eval()
    other.load_state_dict(decoder.state_dict())
    assert first.total.equal(second.total)
    close(first.total, other.loss(memory, other.collate(TARGETS), 0.1).total)
