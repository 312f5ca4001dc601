"""Rows of different length in one flat array, against plain lists."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.rows import Rows

LISTS = st.lists(st.lists(st.integers(-9, 99), max_size=7), max_size=9)


def as_lists(rows: Rows) -> list[list[int]]:
    return [row.tolist() for row in rows]


@given(LISTS)
def test_rows_are_what_was_put_in(lists):
    rows = Rows.of([np.array(row, np.int32) for row in lists])
    assert len(rows) == len(lists) and as_lists(rows) == lists
    assert rows.lengths.tolist() == [len(row) for row in lists]
    assert [rows[i].tolist() for i in range(len(lists))] == lists
    assert rows.values.tolist() == [value for row in lists for value in row]


@given(LISTS, st.data())
def test_taking_some_in_any_order_is_taking_them_from_a_list(lists, data):
    rows = Rows.of([np.array(row, np.int32) for row in lists])
    which = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=12)) if lists else []
    taken = rows.take(np.array(which, np.int64))
    assert as_lists(taken) == [lists[i] for i in which]
    assert taken.values.dtype == rows.values.dtype


@given(LISTS, st.integers(-3, 3))
def test_padded_rows_are_a_table(lists, fill):
    table = Rows.of([np.array(row, np.int32) for row in lists]).padded(fill)
    longest = max(map(len, lists), default=0)
    assert table.shape == (len(lists), longest)
    assert table.tolist() == [row + [fill] * (longest - len(row)) for row in lists]


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float32])
def test_the_type_of_the_numbers_is_the_one_asked_for(dtype):
    rows = Rows.of([np.array([1, 2]), np.array([3])], dtype)
    assert rows.values.dtype == dtype and rows.padded(0).dtype == dtype
    assert Rows.of([], dtype).values.dtype == dtype


def test_a_generator_will_do():
    assert as_lists(Rows.of(np.arange(n) for n in range(4))) == [[], [0], [0, 1], [0, 1, 2]]
