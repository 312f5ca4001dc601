"""Which answers are shown, and what is marked in them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headway.report.mistakes import differences, spread, worst


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), max_size=40), st.integers(1, 20))
def test_the_worst_come_first_and_what_is_right_does_not_come(badness: list[float], most: int):
    expected = sorted((row for row in range(len(badness)) if badness[row] > 0), key=lambda row: -badness[row])[:most]
    assert worst(np.array(badness), most) == expected


@given(st.integers(0, 500), st.integers(1, 9))
def test_a_sample_is_even(count: int, most: int):
    rows = spread(count, most)
    assert len(rows) == min(count, most) == len(set(rows)) and all(0 <= row < count for row in rows)
    gaps = np.diff(rows)
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


def test_differences_by_hand():
    assert differences(["the", "big", "cat"], ["the", "cat", "sat"]) == (
        [(True, ["the"]), (False, ["big"]), (True, ["cat"])],
        [(True, ["the"]), (True, ["cat"]), (False, ["sat"])],
    )
    assert differences("", "ab") == ([], [(False, ["a", "b"])])
    assert differences("ab", "ab") == ([(True, ["a", "b"])], [(True, ["a", "b"])])


@given(st.text("ab c", max_size=30), st.text("ab c", max_size=30))
def test_runs_put_together_are_the_sequences_and_share_what_is_unmarked(written: str, right: str):
    ours, theirs = differences(written, right)
    assert "".join("".join(run) for _, run in ours) == written
    assert "".join("".join(run) for _, run in theirs) == right
    assert [run for same, run in ours if same] == [run for same, run in theirs if same]
