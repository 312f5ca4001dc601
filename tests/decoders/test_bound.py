"""A bound and END: the cut against every cut and every string, the loss by hand, the bound of each source its own."""

import itertools
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
from headway.batch import END, Memory
from headway.decoders import TargetSizes
from headway.decoders.bound import Bound, Settings, cut_values, first_cut
from headway.search import Search

V, LENGTHS = 11, [4, 7, 5]
TARGETS = [np.array([5, 7, 4, 10, 6], np.int32), np.array([9], np.int32), np.array([4, 4], np.int32)]


def made(seed: int = 3, sizes: TargetSizes | None = None, position: str = "rotary", **settings) -> Bound:
    return stirred(Bound(Settings(**settings), shape(position=position), sizes or TargetSizes(V, 1.0, 3), None), seed)


def alone(memory: Memory, row: int) -> Memory:
    return Memory(memory.x[row : row + 1, : LENGTHS[row]], None)


def logits_of(decoder: Bound, memory: Memory, most: int) -> Tensor:
    """(most + 1, V) of one source."""
    vectors = decoder.begun(memory, torch.tensor([most + 1]), most + 1)
    return F.linear(decoder.stack(vectors, memory), decoder.output, decoder.output_bias)[0]


def allowed_log_p(logits: Tensor) -> Tensor:
    """Log probabilities among what may be written, END among it."""
    logits = logits.clone()
    logits[:, :END] = -torch.inf
    return logits.log_softmax(-1)


def value(log_p: Tensor, length: int, fill: float = 1.0) -> float:
    """log p of the best sequence of this length, term by term; log_p (U + 1, V)"""
    tokens = log_p[:, END + 1 :].max(-1).values
    total = float(log_p[length, END])
    total += sum(float(tokens[t]) for t in range(length))
    return total + fill * sum(float(log_p[t, END]) for t in range(length + 1, len(log_p)))


# ------------------------------------------------------------------------------------------------------------- the cut


@given(st.integers(0, 2**20), st.integers(0, 7), st.sampled_from([0.0, 1.0]))
def test_the_cut_is_the_best_of_all_cuts(seed, most, fill):
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randn(n + 1, 9, generator=generator, dtype=torch.float64).log_softmax(-1) for n in (most, 5)]
    room = max(most, 5) + 1
    best, end = (
        torch.stack([F.pad(take(row), (0, room - len(row))) for row in rows])
        for take in (lambda row: row[:, END + 1 :].max(-1).values, lambda row: row[:, END])
    )
    found = cut_values(best, end, torch.tensor([most, 5]), fill)
    for row, values in zip(rows, found, strict=True):
        expected = [value(row, length, fill) for length in range(len(row))]
        assert values[: len(row)].tolist() == pytest.approx(expected)
        assert values[len(row) :].tolist() == [-math.inf] * (room - len(row))
        assert int(values.argmax()) == max(range(len(row)), key=lambda n: expected[n])


def test_no_string_of_tokens_and_ends_is_more_probable():
    log_p = (2 * torch.randn(4, 7, dtype=torch.float64)).log_softmax(-1)
    strings = {}
    for length in range(4):
        for tokens in itertools.product(range(END + 1, 7), repeat=length):
            whole = [*tokens, *[END] * (4 - length)]
            strings[tokens] = sum(float(log_p[t, token]) for t, token in enumerate(whole))
    best = max(strings, key=lambda tokens: strings[tokens])
    values = cut_values(log_p[None, :, END + 1 :].max(-1).values, log_p[None, :, END], torch.tensor([3]), 1.0)[0]
    assert int(values.argmax()) == len(best) and float(values.max()) == pytest.approx(strings[best])


def test_the_first_cut_is_the_first_place_where_nothing_beats_end():
    best = torch.tensor([[-1.0, -1.0, -1.0, 0.0], [-1.0, -1.0, -1.0, -1.0], [-1.0, -1.0, -1.0, -1.0]])
    end = torch.tensor([[-2.0, -0.5, -0.1, 0.0], [-2.0, -2.0, -2.0, -2.0], [-0.5, -2.0, -0.1, -0.1]])
    assert first_cut(best, end, torch.tensor([2, 3, 3])).tolist() == [1, 4, 0]


def scripted(decoder: Bound, log_p: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder answers these log probabilities (U + 1, V) whatever it is asked."""
    states = F.pad(log_p, (0, 1))[None]  # V = 11, and the width is 12
    monkeypatch.setattr(
        decoder, "positions", lambda memory, most: (states, torch.ones(1, len(log_p), dtype=torch.bool))
    )
    with torch.no_grad():
        decoder.output.copy_(torch.eye(V, 12))
        decoder.output_bias.zero_()


def table(*ends: float) -> Tensor:
    """Token 4 + t at position t, beside END with these probabilities."""
    p = torch.full((len(ends), V), 1e-9)
    for t, end in enumerate(ends):
        p[t, END], p[t, 4 + t] = end, 1 - end
    return p.log()


@pytest.mark.parametrize(
    "cut, length", [("best", 4), ("first", 1)], ids=["an early END is outvoted", "an early END is the end"]
)
def test_an_accidental_end(cut, length, monkeypatch):
    decoder = made(tie="none", cut=cut, ratio=1.0, extra=0)
    scripted(decoder, table(0.05, 0.6, 0.05, 0.05, 0.98, 0.98), monkeypatch)
    with torch.no_grad():
        ((found,),) = decoder.generate(memory_of([5]), Search(trace=True))
    assert found.tokens == tuple(4 + t for t in range(length)) and found.finished and found.calls == 1
    assert [(c.what, c.where) for c in found.trace] == [*(("token", t) for t in range(length)), ("end", length)]
    assert found.trace[-1].taken == END and found.trace[-1].others[0][0] == 4 + length
    assert found.log_p[-1] == found.trace[-1].log_p == pytest.approx(math.log(0.98 if cut == "best" else 0.6), abs=1e-4)


def test_the_first_cut_that_never_comes_leaves_it_unfinished(monkeypatch):
    decoder = made(tie="none", cut="first", ratio=1.0, extra=0)
    scripted(decoder, table(0.1, 0.1, 0.1), monkeypatch)
    with torch.no_grad():
        ((found,),) = decoder.generate(memory_of([2]), Search(trace=True))
    assert (found.tokens, found.finished, len(found.log_p)) == ((4, 5), False, 2) and len(found.trace) == 2


def test_candidates_are_the_most_probable_cuts_in_their_order():
    decoder, memory = made(cut="first"), memory_of(LENGTHS)
    with torch.no_grad():
        found = decoder.candidates(memory, 3)
        assert decoder.generate(memory, Search(nbest=3)) == found
        for row, hypotheses in enumerate(found):
            most = LENGTHS[row] + 3
            log_p = allowed_log_p(logits_of(decoder, alone(memory, row), most))
            order = sorted(range(most + 1), key=lambda n: -value(log_p, n))[:3]
            tokens = log_p[:, END + 1 :].argmax(-1) + END + 1
            assert [h.tokens for h in hypotheses] == [tuple(tokens[:n].tolist()) for n in order]
            for hypothesis, n in zip(hypotheses, order, strict=True):
                expected = [*(float(log_p[t, tokens[t]]) for t in range(n)), float(log_p[n, END])]
                assert hypothesis.log_p == pytest.approx(expected, abs=1e-4)


def test_a_limit_leaves_the_beginning_of_what_is_written(monkeypatch):
    decoder = made(tie="none", ratio=1.0, extra=0)
    scripted(decoder, table(0.1, 0.1, 0.1, 0.9), monkeypatch)
    with torch.no_grad():
        whole, cut, enough = (decoder.generate(memory_of([3]), Search(limit=n))[0][0] for n in (None, 2, 3))
    assert whole.tokens == (4, 5, 6) and enough == whole
    assert (cut.tokens, cut.finished, cut.log_p) == ((4, 5), False, whole.log_p[:2])


def test_an_ensemble_averages_probabilities_before_it_is_cut():
    both, memories = [made(seed) for seed in (3, 4)], [memory_of([5], seed=seed) for seed in (7, 8)]
    with torch.no_grad():
        ((found,),) = both[0].generate(memories[0], Search(), [(both[1], memories[1])])
        each = [allowed_log_p(logits_of(d, m, 8)).exp() for d, m in zip(both, memories, strict=True)]
    log_p = (sum(each) / 2).log()
    assert len(found.tokens) == max(range(9), key=lambda n: value(log_p, n))
    assert found.log_p[-1] == pytest.approx(float(log_p[len(found.tokens), END]), abs=1e-5)


# ----------------------------------------------------------------------------------------------------------- the bound


@given(st.integers(0, 60), st.sampled_from([1.0, 1.37, 2.5, 0.7]), st.integers(0, 9))
def test_by_itself_it_is_what_no_training_target_exceeds(length, ratio, extra):
    decoder = made(sizes=TargetSizes(V, ratio, extra))
    assert decoder.bounds(torch.tensor([length])).tolist() == [TargetSizes(V, ratio, extra).limit(length)]


def test_set_by_hand_it_reaches_what_is_below_it():
    decoder = made(ratio=0.5, extra=1)
    assert decoder.bounds(torch.tensor([0, 4, 7])).tolist() == [1, 3, 4]
    assert made(extra=0).bounds(torch.tensor([4])).tolist() == [4] and made(ratio=2.0).bounds(torch.tensor([4])) == 11
    assert decoder.reaches(np.array([4, 4, 0]), [np.zeros(3), np.zeros(4), np.zeros(1)]).tolist() == [True, False, True]


def test_it_needs_a_position_more_for_end():
    decoder = made(position="learned", ratio=3.0)
    decoder.stack.position.positions = 6
    assert decoder.bounds(torch.tensor([1, 9])).tolist() == [5, 5]


# ------------------------------------------------------------------------------------------------------------ learning


@pytest.mark.parametrize("inputs", ["copy", "begin"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("mu", [0.0, 1.0, 0.5])
def test_the_loss_is_that_of_tokens_and_end_and_the_mean_of_what_follows(mu, smoothing, inputs):
    decoder, memory = made(mu=mu, inputs=inputs), memory_of(LENGTHS)
    loss = decoder.loss(memory, decoder.collate(TARGETS), smoothing)
    expected = torch.zeros(())
    for row, target in enumerate(TARGETS):
        most, T = LENGTHS[row] + 3, len(target)
        log_p = logits_of(decoder, alone(memory, row), most).log_softmax(-1)
        right = torch.tensor([*target, *[END] * (most + 1 - T)])
        each = -(1 - smoothing) * log_p[torch.arange(most + 1), right] - smoothing * log_p.mean(-1)
        expected += each[: T + 1].sum() + mu * each[T + 1 :].mean()
    close(loss.total, expected, 1e-4)
    assert loss.count == 11
    no_gradient_is_missing(decoder, loss.total)


def test_a_target_as_long_as_the_bound_has_nothing_behind_its_end():
    decoder, memory = made(extra=1), memory_of([4])
    log_p = logits_of(decoder, memory, 5).log_softmax(-1)
    expected = -log_p[torch.arange(6), torch.tensor([*TARGETS[0], END])].sum()
    close(decoder.loss(memory, decoder.collate(TARGETS[:1]), 0.0).total, expected, 1e-4)


def test_without_the_positions_behind_end_the_cut_does_not_ask_them(monkeypatch):
    decoder = made(tie="none", mu=0.0, ratio=1.0, extra=0)
    scripted(decoder, table(0.1, 0.9, 0.001, 0.001), monkeypatch)
    with torch.no_grad():
        assert decoder.generate(memory_of([3]), Search())[0][0].tokens == (4,)
        decoder.mu = 1.0
        assert decoder.generate(memory_of([3]), Search())[0][0].tokens != (4,)
