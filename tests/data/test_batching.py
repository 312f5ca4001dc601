"""Batches: every row once, within the budget, in an order that seed and epoch decide."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.batching import cut, in_order_of_length, padding_share, plan

COSTS = st.lists(st.integers(1, 40), max_size=60).map(lambda costs: np.array(costs, np.int64))


def flat(batches) -> list[int]:
    return [int(row) for batch in batches for row in batch]


def within(batches, costs, budget: int) -> bool:
    return all(len(batch) == 1 or len(batch) * costs[batch].max() <= budget for batch in batches)


@given(COSTS, st.integers(1, 200), st.integers(0, 5), st.integers(0, 5), st.integers(1, 4))
def test_an_epoch_has_every_row_exactly_once_within_the_budget(costs, budget, seed, epoch, groups):
    updates = plan(costs, budget, seed, epoch, groups)
    batches = [batch for update in updates for batch in update]
    assert sorted(flat(batches)) == list(range(len(costs)))
    assert within(batches, costs, max(1, budget // groups))
    assert all(1 <= len(update) <= groups and all(len(batch) for batch in update) for update in updates)
    assert all(len(update) == groups for update in updates[:-1])


@given(COSTS, st.integers(1, 200), st.integers(0, 99), st.integers(0, 99))
def test_seed_and_epoch_decide_the_order(costs, budget, seed, epoch):
    first, second = ([batch.tolist() for u in plan(costs, budget, seed, epoch) for batch in u] for _ in range(2))
    assert first == second


def test_other_epochs_and_seeds_have_other_orders_and_other_batches():
    costs = np.arange(500, dtype=np.int64) % 37 + 1
    plans = [
        [sorted(batch.tolist()) for u in plan(costs, 200, *key) for batch in u] for key in ((0, 0), (0, 1), (1, 0))
    ]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert plans[i] != plans[j]
        assert len({*map(tuple, plans[i])} & {*map(tuple, plans[j])}) < len(plans[i]) / 2


def test_the_order_is_the_same_on_every_machine():
    costs = np.array([3, 9, 4, 4, 7, 1, 5, 9, 2, 6], np.int64)
    assert [batch.tolist() for update in plan(costs, 20, 7, 3) for batch in update] == FIXED


FIXED = [[1], [6, 9], [4, 7], [5, 8, 0, 3, 2]]
"""What PCG64 of (7, 3) gives, written down once."""


def test_rows_of_like_length_stand_together_so_that_little_is_padding():
    costs = np.random.default_rng(0).integers(1, 200, 5000)
    batches = [batch for update in plan(costs, 2000, 0, 0) for batch in update]
    assert padding_share(costs, batches) < 0.05
    mixed = cut(np.arange(5000), costs, 2000)
    assert padding_share(costs, mixed) > 0.2


def test_the_padding_share_worked_by_hand():
    costs = np.array([2, 4, 3, 3], np.int64)
    assert padding_share(costs, [np.array([0, 1]), np.array([2, 3])]) == pytest.approx(1 - 12 / 14)
    assert padding_share(costs, [np.array([2, 3]), np.array([0]), np.array([1])]) == 0
    assert padding_share(np.zeros(0, np.int64), []) == 0


@given(COSTS, st.integers(1, 200))
def test_for_answering_the_longest_come_first_and_ties_stay_in_order(costs, budget):
    batches = in_order_of_length(costs, budget)
    order = flat(batches)
    assert order == sorted(range(len(costs)), key=lambda row: -costs[row])
    assert within(batches, costs, budget)


@given(COSTS, st.integers(1, 200))
def test_batches_are_cut_as_late_as_the_budget_allows(costs, budget):
    order = np.arange(len(costs))
    batches = cut(order, costs, budget)
    assert flat(batches) == order.tolist() and within(batches, costs, budget)
    for batch, following in pairwise(batches):
        longer = np.append(batch, following[0])
        assert len(longer) * costs[longer].max() > budget


def test_a_row_above_the_budget_is_a_batch_of_its_own():
    costs = np.array([3, 50, 3], np.int64)
    assert [batch.tolist() for batch in cut(np.arange(3), costs, 10)] == [[0], [1], [2]]


def test_no_rows_are_no_batches():
    nothing = np.zeros(0, np.int64)
    assert not plan(nothing, 10, 0, 0) and in_order_of_length(nothing, 10) == []


def planned_as_lists(costs, budget: int, seed: int, epoch: int, groups: int) -> list[list[list[int]]]:
    """An epoch as lists of lists: every batch by itself, then mixed, then in groups."""
    random = np.random.Generator(np.random.PCG64([seed, epoch]))
    order = random.permutation(len(costs)).tolist()
    pool = max(1, int(100 * budget / max(costs.mean(), 1))) if len(costs) else 1
    batches = []
    for start in range(0, len(order), pool):
        batch: list[int] = []
        for row in sorted(order[start : start + pool], key=lambda row: costs[row]):
            if batch and max(costs[[*batch, row]]) * (len(batch) + 1) > max(1, budget // groups):
                batches.append(batch)
                batch = []
            batch.append(row)
        batches.append(batch)
    mixed = [batches[i] for i in random.permutation(len(batches))]
    return [mixed[i : i + groups] for i in range(0, len(mixed), groups)]


@given(COSTS, st.integers(1, 200), st.integers(0, 5), st.integers(0, 5), st.integers(1, 4))
def test_updates_kept_as_arrays_are_those_of_a_plan_made_of_lists(costs, budget, seed, epoch, groups):
    updates, expected = plan(costs, budget, seed, epoch, groups), planned_as_lists(costs, budget, seed, epoch, groups)
    assert [[batch.tolist() for batch in update] for update in updates] == expected
    assert [[batch.tolist() for batch in update] for update in updates[1:3]] == expected[1:3]
    assert len(updates) == len(expected)
    assert all(batch.dtype == np.int64 for update in updates for batch in update)
