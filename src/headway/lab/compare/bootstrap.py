"""The paired bootstrap over test items (Koehn 2004; Efron & Tibshirani 1993, chapter 13): is a difference chance?

All arms are measured on the same resamples, so that what makes a resample hard is hard for all of them, and drops out
of their difference. Items are drawn with replacement, as many as there are; which ones is a function of their number
alone.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from headway.batch import Answer, Example
from headway.lab.compare.statistics import sums_of
from headway.metrics import METRICS

RESAMPLES = 2_000
FEW = 200
"""Resamples for a metric that must be computed anew from the answers, since no sums give it."""
SEED = 20
AT_ONCE = 4_000_000
"""Drawn items that are held at once."""

Numbers = NDArray[np.float64]


def draws(items: int, resamples: int) -> Iterator[NDArray[np.int64]]:
    """The numbers of the items in each resample, some resamples at a time: (some, items); fewer are the first ones."""
    random = np.random.Generator(np.random.PCG64([SEED, items]))
    some = max(1, AT_ONCE // max(1, items))
    for begin in range(0, resamples, some):
        yield random.integers(0, items, (min(some, resamples - begin), items))


def resampled(name: str, answers: Sequence[Answer], examples: Sequence[Example]) -> tuple[Numbers, str]:
    """(the metric on each resample, how it was computed: `sums` or `answers`) for items whose target is known."""
    sums = sums_of(name, answers, examples)
    if sums is not None:
        return resampled_sums(sums.amounts, sums.value), "sums"
    found = []
    for rows in draws(len(answers), FEW):
        for row in rows.tolist():
            metric = METRICS.part(name)()
            metric.add([answers[i] for i in row], [examples[i] for i in row])
            found.append(metric.value())
    return np.array(found), "answers"


def resampled_sums(amounts: Numbers, value, resamples: int = RESAMPLES) -> Numbers:
    """(R) the metric on each resample, from (N, C) amounts of the items and `value`: (R, C) sums -> (R) metrics."""
    found = []
    for rows in draws(len(amounts), resamples):
        times = np.stack([np.bincount(row, minlength=len(amounts)) for row in rows]).astype(np.float64)
        found.append(value(times @ amounts))
    return np.concatenate(found)


def interval(values: Numbers, level: float = 0.95) -> tuple[float, float]:
    """The middle share of the resampled values: the percentile interval."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def p_value(differences: Numbers) -> float:
    """Twice the share of resamples whose difference has not the usual sign: two-sided, never 0 (Davison & Hinkley 1997,
    equation 4.11)."""
    beyond = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (1 + beyond) / (1 + len(differences)))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values made larger for their number, so that the chance of even one false finding stays what it was for one
    (Holm 1979)."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, number in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[number]))
        adjusted[number] = largest
    return adjusted
