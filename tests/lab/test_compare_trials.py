"""The ladder of learning rates: which rung is chosen."""

import pytest

from headway.errors import HeadwayError
from headway.lab.compare.trials import LADDER, Trial, at_the_edge, chosen


def ladder(*values: float | None) -> list[Trial]:
    return [Trial(factor, 0.004 * factor, value) for factor, value in zip(LADDER, values, strict=True)]


def test_the_best_rung_is_taken_whichever_way_is_better():
    rungs = ladder(0.1, 0.3, 0.2, 0.25, None)
    assert chosen(rungs, "a", "accuracy").factor == 0.5 and chosen(rungs, "a", "mae").factor == 0.25


def test_of_equals_the_nearest_to_the_rate_that_was_there():
    assert chosen(ladder(0.5, 0.9, 0.9, 0.9, 0.9), "a", "accuracy").factor == 1.0
    assert chosen(ladder(0.5, 0.9, 0.8, 0.8, 0.9), "a", "accuracy").factor == 0.5


def test_the_ends_of_the_ladder_are_its_edge():
    rungs = ladder(0.9, 0.5, 0.5, 0.5, 0.4)
    assert at_the_edge(rungs, rungs[0]) and at_the_edge(rungs, rungs[-1]) and not at_the_edge(rungs, rungs[1])


def test_a_ladder_on_which_everything_diverged():
    with pytest.raises(HeadwayError, match="arm a: training diverged with every learning rate of the ladder"):
        chosen(ladder(*[None] * 5), "a", None)
