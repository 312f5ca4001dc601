"""Times, shares, counts and lists of words, as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from headway.settings import Branch, Count, Duration, Name, Names, Rate


class Holder(Branch):
    time: Duration = 1.0
    rate: Rate = 0.0
    count: Count = 1
    name: Name | None = None
    names: Names = ()


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("5min", 300),
        ("1h30m", 5400),
        ("1h 30m 5s", 5405),
        ("1.5h", 5400),
        ("2d", 172_800),
        ("1H", 3600),
        (90, 90),
        (0.25, 0.25),
    ],
)
def test_a_time_is_so_many_seconds(written, seconds):
    assert Holder(time=written).time == seconds


@pytest.mark.parametrize(
    "written", ["", "soon", "5 parsecs", "-5m", "5m!", "m5", "5x", "1h-30m", "0", "0s", 0, -3, "1e3"]
)
def test_what_is_no_time_is_refused(written):
    with pytest.raises(ValidationError):
        Holder(time=written)


@given(st.integers(0, 50), st.integers(0, 59), st.integers(1, 59))
def test_hours_minutes_and_seconds_add_up(hours, minutes, seconds):
    assert Holder(time=f"{hours}h{minutes}m{seconds}s").time == 3600 * hours + 60 * minutes + seconds


@given(st.lists(st.text("abcñ我_-./ ", min_size=1).map(str.strip).filter(bool), max_size=5))
def test_words_are_written_with_commas(words):
    assert Holder(names=", ".join(words)).names == tuple(words)
    assert Holder(names=words).names == Holder(names=tuple(words)).names == tuple(words)


def test_empty_words_between_commas_are_none():
    assert Holder(names=" a,, b ,").names == ("a", "b")
    assert Holder(names="").names == ()


def test_a_share_is_at_least_zero_and_below_one():
    assert Holder(rate=0).rate == 0 and Holder(rate="0.999").rate == 0.999
    for wrong in (-0.001, 1, 1.5, "nan"):
        with pytest.raises(ValidationError):
            Holder(rate=wrong)


def test_a_count_is_a_whole_number_above_zero():
    assert Holder(count="7").count == 7 and Holder(count=7.0).count == 7
    for wrong in (0, -1, 1.5, "seven"):
        with pytest.raises(ValidationError):
            Holder(count=wrong)


def test_a_number_may_stand_for_a_column_as_yaml_reads_it():
    assert Holder(name=1).name == "1" and Holder(name="de").name == "de" and Holder().name is None
    assert Holder(names=2).names == ("2",) and Holder(names=["a", 2]).names == ("a", "2")
    for wrong in ({"name": True}, {"name": 1.5}, {"names": [True]}, {"names": 1.5}):
        with pytest.raises(ValidationError):
            Holder(**wrong)


@pytest.mark.parametrize("number", ["nan", "inf", float("inf"), float("nan")])
def test_a_number_is_finite(number):
    with pytest.raises(ValidationError, match="finite"):
        Holder(rate=number)
