"""MAE, RMSE and R², beside scikit-learn."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from headway.batch import Example, RegressAnswer
from headway.metrics import METRICS

number = st.floats(-1000, 1000)
pairs_of_numbers = st.lists(st.tuples(number, number), min_size=2, max_size=19)


def of(name: str, pairs) -> float:
    metric = METRICS.part(name)()
    metric.add([RegressAnswer(value) for _, value in pairs], [Example("", target) for target, _ in pairs])
    return metric.value()


@given(pairs_of_numbers)
def test_as_scikit_learn(pairs):
    targets, values = [t for t, _ in pairs], [v for _, v in pairs]
    assert of("mae", pairs) == pytest.approx(mean_absolute_error(targets, values))
    assert of("rmse", pairs) == pytest.approx(root_mean_squared_error(targets, values))
    assume(max(targets) - min(targets) > 1e-3)  # below that the last digits decide
    assert of("r2", pairs) == pytest.approx(r2_score(targets, values), rel=1e-6, abs=1e-6)


@given(pairs_of_numbers)
def test_large_errors_weigh_more(pairs):
    assert of("rmse", pairs) >= of("mae", pairs) - 1e-9


@given(pairs_of_numbers)
def test_errors_do_not_care_which_is_the_truth(pairs):
    swapped = [(value, target) for target, value in pairs]
    for name in ("mae", "rmse"):
        assert of(name, pairs) == pytest.approx(of(name, swapped))


def test_by_hand():
    pairs = [(1.0, 2.0), (3.0, 3.0), (5.0, 1.0)]  # errors 1, 0, -4
    assert of("mae", pairs) == pytest.approx(5 / 3)
    assert of("rmse", pairs) == pytest.approx(math.sqrt(17 / 3))
    assert of("r2", pairs) == pytest.approx(1 - 17 / 8)  # targets are 2, 0, 2 from their mean 3: 4 + 0 + 4


def test_targets_that_are_all_the_same():
    assert of("r2", [(2.0, 2.0), (2.0, 2.0)]) == 1
    assert of("r2", [(2.0, 2.0), (2.0, 2.5)]) == 0
    assert math.isnan(of("r2", [(2.0, 2.0)]))


def test_a_small_spread_about_a_large_mean_keeps_its_digits():
    # Σ t² − N mean² in double precision would be noise here
    pairs = [(1e9 + 1, 1e9 + 1.5), (1e9 + 2, 1e9 + 2), (1e9 + 3, 1e9 + 3)]
    assert of("r2", pairs) == pytest.approx(1 - 0.25 / 2)
