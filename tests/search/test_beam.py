"""Beam search without any model, against the enumeration of everything that can be written."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import BEGIN, END, FIRST, Told, greedily, random_table, ranked, scored, step_of

from headway.search.beam import beam, penalty

CPU = torch.device("cpu")


def search(table, rows, width, nbest=1, alpha=1.0, prefixes=None):
    state = Told([source for source, _ in rows])
    limits = [limit for _, limit in rows]
    return beam(step_of(table), state, BEGIN, END, limits, CPU, width, nbest, alpha, prefixes)


def value(hypothesis, alpha: float) -> float:
    return hypothesis.score / penalty(len(hypothesis.tokens) + 1, alpha)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize(("tokens", "limit", "width"), [(2, 3, 12), (3, 2, 20), (1, 5, 5)])
def test_wide_enough_a_beam_finds_the_best_of_everything_in_order_and_with_its_scores(tokens, limit, width, alpha):
    """Wide enough: twice the width holds every continuation of every beginning."""
    for seed in range(8):
        table = random_table(tokens, seed)
        rows = [(source, limit) for source in range(3)]
        for (source, _), found in zip(rows, search(table, rows, width, 5, alpha), strict=True):
            expected = ranked(table, source, tokens, limit, alpha)[:5]
            assert [hypothesis.tokens for hypothesis in found] == [sequence for _, sequence in expected]
            assert [value(h, alpha) for h in found] == pytest.approx([v for v, _ in expected], abs=1e-5)
            for hypothesis in found:
                assert hypothesis.finished
                assert hypothesis.log_p == pytest.approx(scored(table, source, hypothesis.tokens), abs=1e-5)


ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)), min_size=1, max_size=5)
"""(source, limit) of every row."""


@given(ROWS, st.integers(0, 99))
def test_of_width_one_and_without_a_length_penalty_it_is_greedy(rows, seed):
    table = random_table(3, seed)
    for (source, limit), (found,) in zip(rows, search(table, rows, 1, alpha=0.0), strict=True):
        tokens, finished = greedily(table, source, 3, limit)
        assert found.tokens == tokens
        assert found.finished or not finished  # at the limit a beam takes END as its second best, and greedy cuts
        assert found.log_p == pytest.approx(scored(table, source, found.tokens, found.finished), abs=1e-5)


@given(ROWS, st.integers(1, 5), st.integers(1, 5), st.sampled_from([0.0, 0.6, 1.0]), st.integers(0, 99))
def test_an_n_best_list_is_sorted_distinct_within_its_limit_and_scored(rows, width, nbest, alpha, seed):
    table, nbest = random_table(3, seed), min(nbest, width)
    for (source, limit), found in zip(rows, search(table, rows, width, nbest, alpha), strict=True):
        assert 1 <= len(found) <= nbest
        assert len({hypothesis.tokens for hypothesis in found}) == len(found)
        assert all(len(hypothesis.tokens) <= limit for hypothesis in found)
        ended = [hypothesis.finished for hypothesis in found]
        assert ended == sorted(ended, reverse=True)  # what was cut stands behind what has ended
        for some in (True, False):
            values = [value(h, alpha) for h in found if h.finished is some]
            assert values == sorted(values, reverse=True)
        for hypothesis in found:
            expected = scored(table, source, hypothesis.tokens, hypothesis.finished)
            assert hypothesis.log_p == pytest.approx(expected, abs=1e-5)
            assert all(token >= FIRST for token in hypothesis.tokens)


@settings(max_examples=30)
@given(ROWS, st.integers(1, 4), st.integers(0, 99))
def test_batch_mates_change_nothing(rows, width, seed):
    table = random_table(3, seed)
    together = search(table, rows, width, width)
    for row, found in zip(rows, together, strict=True):
        (alone,) = search(table, [row], width, width)
        assert [h.tokens for h in alone] == [h.tokens for h in found]
        assert [h.score for h in alone] == pytest.approx([h.score for h in found], abs=1e-5)


@given(ROWS, st.integers(1, 4), st.lists(st.lists(st.integers(FIRST, FIRST + 2), max_size=3), min_size=5, max_size=5))
def test_every_hypothesis_begins_with_the_prefix_at_the_prefixs_own_probability(rows, width, prefixes):
    table, prefixes = random_table(3), prefixes[: len(rows)]
    for (source, limit), prefix, found in zip(
        rows, prefixes, search(table, rows, width, width, prefixes=prefixes), strict=True
    ):
        assert found
        for hypothesis in found:
            assert hypothesis.tokens[: len(prefix)] == tuple(prefix)[:limit]
            expected = scored(table, source, hypothesis.tokens, hypothesis.finished)
            assert hypothesis.log_p == pytest.approx(expected, abs=1e-5)


def test_behind_a_prefix_a_wide_beam_finds_the_best_of_what_begins_with_it():
    table, prefix = random_table(2, 5), [FIRST + 1]
    (found,) = search(table, [(0, 3)], 12, 3, 0.6, [prefix])
    expected = [(v, s) for v, s in ranked(table, 0, 2, 3, 0.6) if s[:1] == (FIRST + 1,)]
    assert [hypothesis.tokens for hypothesis in found] == [sequence for _, sequence in expected[:3]]


def test_the_penalty_is_equation_14_of_wu_et_al_with_end_counted():
    assert penalty(1, 1.0) == 1
    assert penalty(7, 1.0) == 2
    assert penalty(7, 0.5) == pytest.approx(2**0.5)
    assert penalty(19, 2.0) == 16
    assert penalty(9, 0.0) == 1


def short_or_long(source: int, written: tuple[int, ...]) -> list[float]:
    """At first END with 1/5 or the token with 4/5; then END with 4/5 after two more tokens of 1/2."""
    if not written:
        return torch.tensor([0.20, 0.80]).log().tolist()
    return torch.tensor([0.80, 0.20] if len(written) == 3 else [0.25, 0.75]).log().tolist()


def test_a_higher_penalty_prefers_the_longer_sequence():
    # nothing: log 0.2 = −1.609;   three tokens: log(0.8 × 0.75² × 0.8) = −1.022, divided by ((5 + 4) / 6)^α
    (best,) = search(short_or_long, [(0, 3)], 4, 1, 0.0)[0]
    assert len(best.tokens) == 3 and best.score == pytest.approx(-1.0217, abs=1e-4)

    def rare(source, written):
        return torch.tensor([0.30, 0.70] if not written else [0.40, 0.60]).log().tolist()

    # nothing: −1.204;   one token: log(0.7 × 0.4) = −1.273, and −1.273 / (7/6) = −1.091
    assert search(rare, [(0, 1)], 4, 1, 0.0)[0][0].tokens == ()
    assert search(rare, [(0, 1)], 4, 1, 1.0)[0][0].tokens == (FIRST,)


def test_a_beam_finds_what_greedy_misses():
    def garden(source, written):  # greedy takes the first word at 0.6, and behind it nothing is likely
        if not written:
            return torch.tensor([1e-9, 0.6, 0.4]).log().tolist()
        return torch.tensor([0.3, 0.35, 0.35] if written[0] == FIRST else [0.9, 0.05, 0.05]).log().tolist()

    assert greedily(garden, 0, 2, 5)[0][0] == FIRST
    assert search(garden, [(0, 5)], 2, 1, 0.0)[0][0].tokens == (FIRST + 1,)


def test_a_beginning_that_ends_takes_no_place_from_those_that_go_on():
    def now_or_late(source, written):  # END at 0.52, or the token at 0.48 and five more for certain
        later = [1.0, 1e-9] if len(written) == 6 else [1e-9, 1.0]
        return torch.tensor(later if written else [0.52, 0.48]).log().tolist()

    # log 0.52 = −0.654;   log 0.48 = −0.734, divided by (5 + 7) / 6 = −0.367
    ((best,),) = search(now_or_late, [(0, 6)], 1, 1, 1.0)
    assert best.tokens == (FIRST,) * 6 and best.score == pytest.approx(-0.734, abs=1e-3)
    assert search(now_or_late, [(0, 6)], 1, 1, 0.0)[0][0].tokens == ()


def test_it_stops_once_nothing_alive_can_become_better():
    def certain(source, written):
        return [20.0, 0.0, 0.0] if len(written) == 2 else [-20.0, 20.0, 0.0]

    state = Told([0])
    ((found,),) = beam(step_of(certain), state, BEGIN, END, [500], CPU, 3)
    assert found.tokens == (FIRST, FIRST)
    assert len(state.steps) == 3


def test_rows_that_are_done_leave_and_the_others_keep_their_sources():
    def after(source, written):  # row n ends after n tokens
        return [20.0, 0.0, 0.0] if len(written) >= source else [-20.0, 1.0, 0.5]

    state = Told([0, 5, 2])
    found = beam(step_of(after), state, BEGIN, END, [9] * 3, CPU, 2)
    assert [len(hypotheses[0].tokens) for hypotheses in found] == [0, 5, 2]
    assert state.steps == [6, 4, 4, 2, 2, 2]


def test_what_cannot_end_within_its_limit_is_cut_and_says_so():
    def endless(source, written):
        return [-60.0, 1.0, 0.0]

    (found,) = search(endless, [(0, 3)], 2, 2)
    assert found and all(not hypothesis.finished and len(hypothesis.tokens) == 3 for hypothesis in found)
    assert found[0].tokens == (FIRST,) * 3 and len(found[0].log_p) == 3


def test_fewer_continuations_than_beams_are_no_trouble():
    (found,) = search(random_table(1), [(0, 2)], 7, 7, 0.0)
    assert sorted(hypothesis.tokens for hypothesis in found) == [(), (FIRST,), (FIRST, FIRST)]


def test_no_rows_give_no_hypotheses():
    assert search(random_table(2), [], 3) == []
