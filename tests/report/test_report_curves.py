"""The log of a training as curves."""

import math

from findings_for import events
from hypothesis import given
from hypothesis import strategies as st

from headway.report.curves import curves, thinned


def test_every_kind_of_event():
    found = curves(
        [
            {"event": "start", "step": 0, "steps": 4},
            {"event": "step", "step": 1, "loss": 2.0, "learning_rate": 0.1, "tokens_per_second": 50, "tokens": 9},
            {"event": "valid", "step": 2, "bleu": 3.0, "chrf": 30, "loss": 1.5, "seconds": 9.0, "best": True},
            {"event": "step", "step": 3, "loss": 1.0, "learning_rate": 0.2, "tokens_per_second": 60.0},
            {"event": "valid", "step": 4, "bleu": 2.0, "chrf": 31.0, "loss": 1.4, "seconds": 9.0, "best": False},
            {"event": "end", "step": 4, "metrics": {"test": {"bleu": 1.0}}},
        ]
    )
    assert found.train_loss == [(1, 2.0), (3, 1.0)] and found.valid_loss == [(2, 1.5), (4, 1.4)]
    assert found.metrics == {"bleu": [(2, 3.0), (4, 2.0)], "chrf": [(2, 30.0), (4, 31.0)]}
    assert found.learning_rate == [(1, 0.1), (3, 0.2)] and found.tokens_per_second == [(1, 50.0), (3, 60.0)]
    assert found.kept == 2


def test_what_is_no_number_is_left_out():
    strange = [math.nan, math.inf, None, "3", True, [1]]
    found = curves([{"event": "step", "step": 1, "loss": value} for value in strange])
    assert found.train_loss == []
    assert curves([{"event": "step", "loss": 1.0}, {"step": 1}, {}]).train_loss == []
    assert curves([{"event": "valid", "step": 1, "accuracy": math.nan, "best": True}]).metrics == {"accuracy": []}


def test_the_kept_step_is_the_last_best():
    assert curves(events()).kept == 70


@given(st.integers(0, 2000), st.integers(1, 400), st.integers(0, 1999))
def test_thinning_keeps_order_ends_and_the_step_asked_for(count: int, most: int, always: int):
    points = [(step, float(step)) for step in range(count)]
    found = thinned(points, most, always)
    assert found == sorted(set(found)) and set(found) <= set(points) and len(found) <= most + 2
    if points:
        assert found[0] == points[0] and found[-1] == points[-1]
    if always < count:
        assert (always, float(always)) in found
    if count <= most:
        assert found == points
