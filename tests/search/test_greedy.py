"""Greedy search without any model: a table says what may follow."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scripted import BEGIN, END, Told, greedily, random_table, scored, step_of

from headway.search.greedy import greedy

CPU = torch.device("cpu")
V = 3
"""Tokens beside END."""

ROWS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)), min_size=1, max_size=7)
"""(source, limit) of every row."""


def search(table, rows, prefixes=None, scores=True):
    state = Told([source for source, _ in rows])
    found = greedy(step_of(table), state, BEGIN, END, [limit for _, limit in rows], CPU, prefixes, scores)
    assert [len(hypotheses) for hypotheses in found] == [1] * len(rows)
    return [hypotheses[0] for hypotheses in found], state


@given(ROWS, st.integers(0, 99))
def test_every_row_is_what_a_loop_over_it_alone_finds(rows, seed):
    """Whatever the batch mates, their limits, and when they leave."""
    table = random_table(V, seed)
    for (source, limit), found in zip(rows, search(table, rows)[0], strict=True):
        tokens, finished = greedily(table, source, V, limit)
        assert (found.tokens, found.finished) == (tokens, finished)
        assert found.log_p == pytest.approx(scored(table, source, tokens, finished), abs=1e-5)
        assert found.score == pytest.approx(sum(found.log_p))


@given(ROWS, st.integers(0, 99), st.lists(st.lists(st.integers(END + 1, END + V), max_size=4), min_size=7, max_size=7))
def test_a_forced_prefix_is_written_first_and_greedy_goes_on_behind_it(rows, seed, prefixes):
    table, prefixes = random_table(V, seed), prefixes[: len(rows)]
    found, _ = search(table, rows, prefixes)
    for (source, limit), prefix, hypothesis in zip(rows, prefixes, found, strict=True):
        tokens, finished = greedily(table, source, V, limit, prefix)
        assert (hypothesis.tokens, hypothesis.finished) == (tokens, finished)
        assert hypothesis.tokens[: len(prefix)] == tuple(prefix)[:limit]
        assert hypothesis.log_p == pytest.approx(scored(table, source, tokens, finished), abs=1e-5)


def test_without_scores_the_tokens_are_the_same_and_no_score_is_given():
    rows, table = [(0, 5), (1, 5), (2, 3)], random_table(V)
    with_scores, without = search(table, rows)[0], search(table, rows, scores=False)[0]
    assert [h.tokens for h in with_scores] == [h.tokens for h in without]
    assert all(h.log_p == () for h in without)


def ending_after(source: int, written: tuple[int, ...]) -> list[float]:
    """Row number n writes n tokens and ends."""
    return [9.0 if len(written) == source else 0.0, 5.0]


def test_rows_that_have_ended_leave_once_they_are_half():
    found, state = search(ending_after, [(length, 20) for length in (0, 0, 1, 4, 9)])
    assert [len(h.tokens) for h in found] == [0, 0, 1, 4, 9]
    assert all(h.finished for h in found)
    assert state.steps == [5, 5, 2, 2, 2, *[1] * 5]


def test_a_limit_cuts_and_says_so():
    found, state = search(ending_after, [(9, 4), (2, 4)])
    assert [(len(h.tokens), h.finished) for h in found] == [(4, False), (2, True)]
    assert len(found[0].log_p) == 4 and len(found[1].log_p) == 3
    assert len(state.steps) == 5  # the fifth step looks whether END comes after the fourth token


def test_a_sequence_that_ends_exactly_at_its_limit_is_finished():
    found, _ = search(ending_after, [(4, 4)])
    assert found[0].finished and len(found[0].tokens) == 4


def test_no_rows_and_no_tokens():
    assert greedy(step_of(ending_after), Told([]), BEGIN, END, [], CPU) == []
    found, _ = search(ending_after, [(3, 0)])
    assert (found[0].tokens, found[0].finished) == ((), False)


def test_greedy_knows_which_rows_were_close():
    def step(tokens, state):
        table = torch.full((len(tokens), 4), -9.0)
        table[:, 3] = 1.0
        table[0, 2] = 1.0 - 1e-6
        return table, state

    found = greedy(step, Told([1, 2]), 0, 3, [4, 4], CPU, close=1e-4)
    assert [one.close for (one,) in found] == [True, False]
    found = greedy(step, Told([1, 2]), 0, 3, [4, 4], CPU)
    assert [one.close for (one,) in found] == [False, False]
