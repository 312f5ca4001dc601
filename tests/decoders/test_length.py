"""A length first, then all tokens: losses by hand, lengths tried by brute force, and glancing."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from building import D, memory_of, no_gradient_is_missing, shape, stirred
from comparing import close, randoms
from headway.batch import BEGIN, END, Memory
from headway.decoders import TargetSizes
from headway.decoders._parallel import Taught, copied, drawn, shown
from headway.decoders.length import Length, Settings
from headway.errors import UsageError
from headway.functional.losses import cross_entropy
from headway.functional.masks import padding
from headway.search import Hypothesis, Search

V, LENGTHS = 11, [4, 7, 5]
TARGETS = [np.array([5, 7, 4, 10, 6], np.int32), np.array([9], np.int32), np.array([4, 4], np.int32)]
NEVER = [0, 1, 2, 3]
"""What is not written by a decoder whose lengths are decided first, END among them."""


def made(seed: int = 3, sizes: TargetSizes | None = None, position: str = "rotary", **settings) -> Length:
    chosen = Settings(**{"reach": 8, **settings})
    return stirred(Length(chosen, shape(position=position), sizes or TargetSizes(V, 1.0, 6), None), seed).eval()


def alone(memory: Memory, row: int) -> Memory:
    return Memory(memory.x[row : row + 1, : LENGTHS[row]], None)


def logits_of(decoder: Length, memory: Memory, length: int) -> Tensor:
    """(length, V) of one source, written to that length."""
    vectors = decoder.begun(memory, torch.tensor([length]), length)
    return F.linear(decoder.stack(vectors, memory), decoder.output, decoder.output_bias)[0]


def best_of(logits: Tensor) -> tuple[tuple[int, ...], list[float]]:
    """The most probable tokens and their log probabilities, among those that may be written."""
    logits = logits.clone()
    logits[:, NEVER] = -torch.inf
    log_p, tokens = logits.log_softmax(-1).max(-1)
    return tuple(tokens.tolist()), log_p.tolist()


# ------------------------------------------------------------------------------------------------------------ learning


@pytest.mark.parametrize("inputs", ["copy", "begin"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_that_of_every_token_and_a_tenth_of_the_lengths(smoothing, inputs):
    decoder, memory = made(inputs=inputs), memory_of(LENGTHS)
    loss = decoder.loss(memory, decoder.collate(TARGETS), smoothing)
    expected = torch.zeros(())
    for row, target in enumerate(TARGETS):
        single, right = alone(memory, row), torch.from_numpy(target).long()
        logits = logits_of(decoder, single, len(right))
        expected += cross_entropy(logits, right, torch.ones(len(right), dtype=torch.bool), smoothing)[0]
        log_p = decoder.length(single.x[0].mean(0)).log_softmax(-1)
        expected -= 0.1 * (len(right) + 1) * log_p[8 + len(right) - LENGTHS[row]]
    close(loss.total, expected, 1e-4)
    assert loss.count == 11


def test_the_weight_of_the_length_is_a_setting():
    memory = memory_of(LENGTHS)
    less, more = (made(length_weight=weight) for weight in (0.1, 0.4))
    more.load_state_dict(less.state_dict())
    taught = less.taught(memory, less.collate(TARGETS))
    close(4 * less.length_loss(memory, taught), more.length_loss(memory, taught))


def test_a_class_is_a_difference_of_lengths_and_the_outermost_take_all_beyond():
    decoder, read = made(), torch.tensor([10, 10, 10, 10, 10, 10])
    lengths = torch.tensor([10, 2, 17, 18, 1, 13])
    assert decoder.classes(read, lengths).tolist() == [8, 0, 15, 15, 0, 11]
    assert decoder.fits(read, lengths).tolist() == [True, True, True, False, False, True]
    close(decoder.lengths(memory_of(LENGTHS)).exp().sum(-1), torch.ones(3))


def test_it_reaches_no_more_than_it_has_positions_for():
    decoder = made(position="learned", reach=1000)
    decoder.stack.position.positions = 6
    assert decoder.reaches(np.array([3, 3]), [np.zeros(6), np.zeros(7)]).tolist() == [True, False]
    with torch.no_grad():
        assert all(len(h.tokens) <= 6 for h in decoder.candidates(memory_of([7]), 9)[0])


# ------------------------------------------------------------------------------------------------------------ glancing


@given(st.integers(0, 2**20), st.floats(0, 1))
def test_exactly_a_share_of_the_mistakes_is_shown_and_only_what_is_real(seed, share):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(0, 9, (4,), generator=generator)
    wrong, real = torch.rand(4, 8, generator=generator) < 0.6, padding(lengths, 8)
    found = shown(wrong, real, share)
    assert not (found & ~real).any()
    assert found.sum(-1).tolist() == [round(share * n) for n in (wrong & real).sum(-1).tolist()]


def test_each_position_is_drawn_as_often_as_another():
    real = padding(torch.full((4000,), 4), 6)
    found = drawn(real, torch.ones(4000)).double().mean(0)
    assert (found[:4] - 0.25).abs().max() < 0.03 and not found[4:].any()


def test_what_is_shown_is_read_and_the_rest_counts_for_it(monkeypatch):
    decoder, memory = made(), memory_of([5])
    right = torch.tensor([5, 7, 4, 10])
    shows = torch.tensor([[True, False, False, True]])
    monkeypatch.setattr(decoder, "glimpse", lambda *_: shows)
    loss = decoder.loss(memory, decoder.collate([right.numpy()]), 0.1, revealed=0.5)
    vectors = decoder.begun(memory, torch.tensor([4]), 4)
    vectors = torch.where(shows[..., None], decoder.vectors(right), vectors)
    logits = F.linear(decoder.stack(vectors, memory), decoder.output, decoder.output_bias)[0]
    hidden, _ = cross_entropy(logits, right, ~shows[0], 0.1)
    length = decoder.length_loss(memory, decoder.taught(memory, decoder.collate([right.numpy()])))
    close(loss.total, 2 * hidden + length, 1e-4)
    assert loss.count == 5
    no_gradient_is_missing(decoder, loss.total)


def test_a_glimpse_shows_as_much_as_a_first_pass_gets_wrong():
    decoder, memory = made(), memory_of(LENGTHS)
    taught = decoder.taught(memory, decoder.collate(TARGETS))
    with torch.no_grad():
        right = [best_of(logits_of(decoder, alone(memory, row), len(TARGETS[row])))[0] for row in range(3)]
    mistakes = [sum(a != b for a, b in zip(found, target, strict=True)) for found, target in zip(right, TARGETS)]
    vectors = decoder.begun(memory, taught.lengths, 5)
    assert sum(mistakes) > 0
    assert decoder.glimpse(vectors, memory, taught, 1.0).sum(-1).tolist() == mistakes
    with torch.no_grad():
        decoder.output_bias[torch.tensor([5, 9, 4])] = torch.tensor([30.0, 40.0, 50.0])
    assert decoder.glimpse(vectors, memory, taught, 1.0).sum(-1).tolist() == [4, 1, 0]  # it now writes 4 only


def test_a_right_first_pass_shows_nothing():
    decoder = made()
    real = torch.ones(1, 4, dtype=torch.bool)
    taught = Taught(torch.full((1, 4), 9), real, torch.tensor([4]), torch.tensor([4]), torch.tensor([True]))
    with torch.no_grad():
        decoder.output_bias[9] = 100.0
    assert not decoder.glimpse(torch.zeros(1, 4, D), memory_of([4]), taught, 1.0).any()


# ------------------------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("inputs", ["copy", "begin"])
@pytest.mark.parametrize("number", [1, 3])
def test_of_the_most_probable_lengths_the_best_sequence_is_written(number, inputs):
    decoder, memory = made(inputs=inputs, lengths=number), memory_of(LENGTHS)
    with torch.no_grad():
        found = decoder.generate(memory, Search())
        for row, (hypothesis,) in enumerate(found):
            single = alone(memory, row)
            log_p = {n: float(p) for n, p in enumerate(decoder.lengths(single)[0, 8 - LENGTHS[row] :])}  # from 0 on
            log_p = {n: p for n, p in log_p.items() if n <= LENGTHS[row] + 6}
            tried = sorted(log_p, key=lambda n: -log_p[n])[:number]
            each = []
            for n in tried:
                tokens, chances = best_of(logits_of(decoder, single, n)) if n else ((), [])
                chances = [*chances, log_p[n]]
                each.append((sum(chances) / len(chances), tokens, chances))
            _, tokens, chances = max(each)
            assert hypothesis.tokens == tokens and hypothesis.finished and hypothesis.calls == 1
            assert hypothesis.log_p == pytest.approx(chances, abs=1e-4)


def test_candidates_are_of_different_lengths_the_highest_mean_first():
    decoder, memory = made(), memory_of(LENGTHS)
    with torch.no_grad():
        found = decoder.candidates(memory, 4)
        assert decoder.generate(memory, Search(nbest=4)) == found
    for hypotheses in found:
        assert len({len(h.tokens) for h in hypotheses}) == len(hypotheses) == 4
        means = [h.score / len(h.log_p) for h in hypotheses]
        assert means == sorted(means, reverse=True)


def test_no_more_candidates_than_lengths_that_are_allowed():
    decoder, memory = made(sizes=TargetSizes(V, 0.5, 0), reach=2), memory_of([1, 4])
    with torch.no_grad():
        found = decoder.candidates(memory, 4)
    assert [sorted(len(h.tokens) for h in hypotheses) for hypotheses in found] == [[0], [2]]


def test_a_source_so_long_that_no_length_is_near_is_cut():
    decoder, memory = made(sizes=TargetSizes(V, 0.5, 0), reach=2), memory_of([9])
    with torch.no_grad():
        assert [len(h.tokens) for (h,) in decoder.generate(memory, Search())] == [4]


def test_a_limit_leaves_the_beginning_of_what_is_written():
    decoder, memory = made(), memory_of(LENGTHS)
    with torch.no_grad():
        whole, cut = (decoder.generate(memory, Search(limit=limit)) for limit in (None, 2))
    assert any(not h.finished for (h,) in cut)
    for (one,), (two,) in zip(whole, cut, strict=True):
        assert two.finished == (len(one.tokens) <= 2)
        assert (two.tokens, two.log_p) == (one.tokens[:2], one.log_p if two.finished else one.log_p[:2])


def test_a_trace_tells_the_length_and_what_else_might_have_been():
    decoder, memory = made(lengths=2), memory_of([4])
    with torch.no_grad():
        ((found,),) = decoder.generate(memory, Search(trace=True))
        log_p, logits = decoder.lengths(memory)[0], logits_of(decoder, memory, len(found.tokens))
    length, *tokens = found.trace
    assert (length.what, length.taken) == ("length", len(found.tokens))
    likely = (log_p[4:].argsort(descending=True)[:4]).tolist()  # from no token on
    assert [n for n, _ in length.others] == [n for n in likely if n != length.taken][:3]
    assert length.log_p == pytest.approx(float(log_p[8 + length.taken - 4]))
    assert [(c.what, c.where, c.taken, c.call) for c in tokens] == [
        ("token", t, token, 0) for t, token in enumerate(found.tokens)
    ]
    logits[:, NEVER] = -torch.inf
    best = logits.log_softmax(-1).topk(4)
    for t, choice in enumerate(tokens):
        assert [n for n, _ in choice.others] == best.indices[t, 1:].tolist()
        assert [choice.log_p, *(p for _, p in choice.others)] == pytest.approx(best.values[t].tolist(), abs=1e-5)


def test_an_ensemble_averages_probabilities_of_lengths_and_of_tokens():
    both, memories = [made(seed) for seed in (3, 4)], [memory_of([5], seed=seed) for seed in (7, 8)]
    with torch.no_grad():
        ((found,),) = both[0].generate(memories[0], Search(), [(both[1], memories[1])])
        p = sum(d.lengths(m).exp() for d, m in zip(both, memories, strict=True))[0, 3 : 3 + 5 + 6 + 1] / 2
        n = int(p.argmax())
        each = []
        for decoder, memory in zip(both, memories, strict=True):
            logits = logits_of(decoder, memory, n)
            logits[:, NEVER] = -torch.inf
            each.append(logits.softmax(-1))
        chances, tokens = (sum(each) / 2).max(-1)
    assert found.tokens == tuple(tokens.tolist())
    assert found.log_p == pytest.approx([*chances.log().tolist(), float(p[n].log())], abs=1e-5)


def test_runs_with_other_lengths_make_no_ensemble():
    memory = memory_of([5])
    with torch.no_grad(), pytest.raises(UsageError, match=r"no ensemble: model\.task\.decoder\.reach differs"):
        made().generate(memory, Search(), [(made(reach=9), memory)])


def test_sequences_that_are_equal_are_offered_once(monkeypatch):
    decoder, memory = made(), memory_of([5])
    same = [Hypothesis((5,), (-1.0,), calls=1), Hypothesis((5,), (-0.5,), calls=1), Hypothesis((6,), (-2.0,), calls=1)]
    monkeypatch.setattr(decoder, "write", lambda *_: same)
    with torch.no_grad():
        assert sorted(h.tokens for h in decoder.candidates(memory, 3)[0]) == [(5,), (6,)]


# -------------------------------------------------------------------------------------------- what positions begin with


def test_sources_are_copied_evenly_and_the_last_behind_the_end():
    memory = memory_of([5, 2, 1])
    found = copied(memory, torch.tensor([3, 4, 3]), 5)
    assert found.tolist() == [[0, 2, 4, 4, 4], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0]]


def test_where_there_is_nothing_to_copy_there_is_begin():
    decoder, memory = made(), memory_of([3, 0])
    begun = decoder.begun(memory, torch.tensor([2, 2]), 2)
    begin = decoder.vectors(torch.tensor(BEGIN))
    close(begun[1], begin.expand(2, D))
    close(begun[0], memory.x[0, [0, 2]])
    close(decoder.begun(memory_of([0]), torch.tensor([2]), 2)[0], begin.expand(2, D))


@pytest.mark.parametrize("position", ["rotary", "alibi", "relative", "sinusoidal", "learned"])
def test_positions_that_begin_alike_still_differ(position):
    decoder = made(inputs="begin", position=position)
    states = decoder.stack(decoder.begun(memory_of([4]), torch.tensor([6]), 6), memory_of([4]))[0]
    assert torch.pdist(states).min() > 1e-3


@pytest.mark.parametrize("inputs, elements", [("begin", 4), ("copy", 1)])
def test_where_no_order_is_told_they_are_all_the_same(inputs, elements):
    decoder, memory = made(inputs=inputs), memory_of([elements])
    decoder.stack.position = decoder.stack.position.own  # rotary alone: it turns queries and keys, and not values
    states = decoder.stack(decoder.begun(memory, torch.tensor([6]), 6), memory)[0]
    close(states, states[:1].expand_as(states), 1e-5)


def test_gradients_reach_the_encoder_through_every_way():
    decoder, (x,) = made(), randoms((2, 5, D))
    x.requires_grad_()
    target = decoder.collate([np.array([5, 6, END + 1], np.int32), np.array([9, 9], np.int32)])
    loss = decoder.loss(Memory(x), target, 0.0)
    loss.total.backward()
    assert x.grad is not None and x.grad.any(-1).all()
