"""Ticks are round, few, and tell each other apart."""

import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from headway.report.scale import Scale, rounded_out, step_of, ticks, widened, words_for

number = st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-9)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 300, [0, 100, 200, 300]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.12, 0.93, [0.2, 0.4, 0.6, 0.8]),
        (-3, 4, [-2, 0, 2, 4]),
        (0, 0.001, [0, 0.0002, 0.0004, 0.0006, 0.0008, 0.001]),
    ],
)
def test_ticks_by_hand(low: float, high: float, expected: list[float]):
    assert ticks(low, high) == expected


@given(number, number, st.integers(2, 9))
def test_ticks_are_round_even_and_inside(a: float, b: float, most: int):
    low, high = sorted((a, b))
    assume(high - low > 1e-6 * max(abs(low), abs(high), 1e-3))
    step = step_of(high - low, most)
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9), 6) in (1, 2, 5)
    found = ticks(low, high, most)
    assert 1 <= len(found) <= most + 1
    assert all(low - 1e-6 * step <= tick <= high + 1e-6 * step for tick in found)
    assert all(b - a == pytest.approx(step, rel=1e-3) for a, b in itertools.pairwise(found))
    assert not any(math.copysign(1, tick) < 0 for tick in found if tick == 0)


@given(number, number)
def test_the_rounded_range_holds_the_range_and_ends_in_ticks(a: float, b: float):
    low, high = sorted((a, b))
    assume(high == low or high - low > 1e-6 * max(abs(low), abs(high)))
    begin, end = rounded_out(low, high)
    room = 1e-6 * (end - begin)
    assert begin < end and begin - room <= low and high <= end + room
    found = ticks(begin, end, 7)
    assert found[0] == pytest.approx(begin, abs=room) or found[0] >= begin


def test_one_value_gets_room():
    assert widened(5.0, 5.0) == (4.5, 5.5)
    assert widened(0.0, 0.0) == (-1.0, 1.0)
    assert widened(1.0, 2.0) == (1.0, 2.0)


def test_places():
    scale = Scale(10, 20, 100, 0)
    assert [scale(value) for value in (10, 15, 20)] == [100, 50, 0]


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([0.0, 0.5, 1.0], False, ["0", "0.5", "1.0"]),
        ([0.0, 20000.0, 40000.0], False, ["0", "20,000", "40,000"]),
        ([0.0, 200000.0, 400000.0], False, ["0", "200k", "400k"]),
        ([0.0, 0.0005, 0.001], False, ["0", "0.0005", "0.0010"]),
        ([0.0, 0.0001, 0.0002], False, ["0", "1e−4", "2e−4"]),
        ([0.0, 0.00015], False, ["0", "1.5e−4"]),
        ([-1.0, 0.0, 1.0], False, ["−1", "0", "1"]),
        ([0.9, 0.95, 1.0], True, ["90%", "95%", "100%"]),
        ([0.985, 0.99, 0.995], True, ["98.5%", "99.0%", "99.5%"]),
    ],
)
def test_words_at_ticks(values: list[float], percent: bool, expected: list[str]):
    assert list(map(words_for(values, percent), values)) == expected


@given(number, number)
def test_words_tell_ticks_apart(a: float, b: float):
    low, high = sorted((a, b))
    assume(high - low > 1e-3 * max(abs(low), abs(high), 1e-3))
    found = ticks(low, high)
    words = list(map(words_for(found), found))
    assert len(set(words)) == len(words)
