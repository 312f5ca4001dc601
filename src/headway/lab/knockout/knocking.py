"""A run answers a data set again and again, each time without one of its parts."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from headway.batch import Answer, Example
from headway.errors import UsageError
from headway.lab.compare.bootstrap import RESAMPLES, holm, interval, p_value, resampled, resampled_sums
from headway.lab.compare.statistics import sums_of
from headway.lab.knockout.results import Change, Results
from headway.lab.knockout.targets import targets
from headway.metrics import METRICS
from headway.predictor import Predictor

EACH = 100
"""Resamples for every part at least: the least p-value is 2 / resamples, and is made larger for the number of parts."""


def knockout(
    predictor: Predictor,
    examples: Sequence[Example],
    what: str = "heads",
    how: str = "removed",
    mode: str = "auto",
    data: str = "",
    hear: Callable[[str], None] = lambda _: None,
) -> Results:
    """Every part of this kind switched off in turn; the metric is the run's first, on the same items each time.

    what     heads, mixers, feedforward or layers
    how      removed, or uniform: it looks at everything alike
    hear     is told of progress

    Raises UsageError where there is nothing to switch off or to measure.
    """
    if not examples:
        raise UsageError("there is nothing to measure a knockout on: the data have no examples")
    parts = targets(predictor.model, what, how)
    metric = predictor.model.task.metrics[0]
    whole = predictor.predict(examples, mode=mode)
    resamples = max(RESAMPLES, EACH * len(parts))
    usual = _resampled(metric, whole, examples, resamples)
    value = _measured(metric, whole, examples)
    found, chances = [], []
    for number, part in enumerate(parts, 1):
        with part.out(how):
            answers = predictor.predict(examples, mode=mode)
        without = _resampled(metric, answers, examples, resamples)
        count = min(len(usual), len(without))  # one that is measured by its answers is resampled less often
        differences = without[:count] - usual[:count]
        now = _measured(metric, answers, examples)
        changed = float(np.mean([str(one) != str(other) for one, other in zip(whole, answers, strict=True)]))
        found.append((part, now, interval(differences), changed))
        chances.append(p_value(differences))
        hear(f"{number}/{len(parts)}  {part.name}")
    changes = tuple(
        Change(part.part, part.layer, part.head, now, now - value, around, p, changed)
        for (part, now, around, changed), p in zip(found, holm(chances), strict=True)
    )
    return Results(str(predictor.path), data, what, how, metric, value, len(examples), changes)


def _resampled(
    name: str, answers: Sequence[Answer], examples: Sequence[Example], resamples: int
) -> NDArray[np.float64]:
    """(R) the metric on each resample, the same items in every call; fewer of a metric that has no sums."""
    sums = sums_of(name, answers, examples)
    return (
        resampled(name, answers, examples)[0] if sums is None else resampled_sums(sums.amounts, sums.value, resamples)
    )


def _measured(name: str, answers: Sequence[Answer], examples: Sequence[Example]) -> float:
    metric = METRICS.part(name)()
    metric.add(answers, examples)
    return metric.value()
