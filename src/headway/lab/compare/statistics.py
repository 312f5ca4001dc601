"""A metric as a function of sums over items, so that it can be recomputed on thousands of resamples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.batch import Answer, ClassifyAnswer, Example, TagAnswer
from headway.metrics import METRICS
from headway.metrics._confusion import Confusion, label_set
from headway.metrics.span_f1 import spans
from headway.report.grades import nearest
from headway.report.units import Unit

Numbers = NDArray[np.float64]
Pairs = Sequence[tuple[Example, Any]]


@dataclass(frozen=True)
class Sums:
    """What a metric adds up: (N, C) amounts of each item; `value` takes (R, C) sums and gives (R) metrics."""

    amounts: Numbers
    value: Callable[[Numbers], Numbers]


def sums_of(name: str, answers: Sequence[Answer], examples: Sequence[Example]) -> Sums | None:
    """The sums behind a metric; None where it has none, or where they would not give exactly the metric's own value."""
    make = _SUMS.get(name)
    if make is None:
        return None
    sums = make([(e, a) for e, a in zip(examples, answers, strict=True)])
    metric = METRICS.part(name)()
    metric.add(answers, examples)
    whole = float(sums.value(sums.amounts.sum(0, keepdims=True))[0])
    return sums if np.isclose(whole, metric.value(), rtol=1e-9, atol=1e-12) else None


def _ratio(sums: Numbers) -> Numbers:
    """First / second, 0 where there is nothing below the line."""
    return np.divide(sums[:, 0], sums[:, 1], out=np.zeros(len(sums)), where=sums[:, 1] > 0)


def _accuracy(pairs: Pairs) -> Sums:
    rows = []
    for example, answer in pairs:
        if isinstance(answer, TagAnswer):
            right = sum(label == truth for label, truth in zip(answer.labels, example.target))
            rows.append((right, len(example.target)))
        else:
            rows.append((frozenset(answer.labels) == label_set(example.target), 1))
    return Sums(np.array(rows, np.float64), _ratio)


def _counts(pairs: Pairs) -> list[dict[str, tuple[int, int]]]:
    """For each item and label (2 × right, given + true)."""
    found = []
    for example, answer in pairs:
        assert isinstance(answer, (TagAnswer, ClassifyAnswer))
        confusion = Confusion()
        confusion.add(example, answer)
        found.append({label: (2 * right, given + true) for label, right, given, true in confusion.rows()})
    return found


def _micro_f1(pairs: Pairs) -> Sums:
    rows = [[sum(both) for both in zip(*counts.values())] or [0, 0] for counts in _counts(pairs)]
    return Sums(np.array(rows, np.float64), _ratio)


def _macro_f1(pairs: Pairs) -> Sums:
    """Labels that occur in a resample count in it, as in the metric."""
    counts = _counts(pairs)
    place = {label: number for number, label in enumerate(sorted({label for row in counts for label in row}))}
    amounts = np.zeros((len(counts), 2, len(place)))
    for number, row in enumerate(counts):
        for label, both in row.items():
            amounts[number, :, place[label]] = both

    def value(sums: Numbers) -> Numbers:
        above, below = sums.reshape(len(sums), 2, -1).transpose(1, 0, 2)
        f1 = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
        return f1.sum(1) / np.maximum((below > 0).sum(1), 1)

    return Sums(amounts.reshape(len(counts), -1), value)


def _span_f1(pairs: Pairs) -> Sums:
    rows = []
    for example, answer in pairs:
        given, true = set(spans(answer.labels[: len(example.target)])), set(spans(example.target))
        rows.append((2 * len(given & true), len(given) + len(true)))
    return Sums(np.array(rows, np.float64), _ratio)


def _exact_match(pairs: Pairs) -> Sums:
    right = [answer.text in {str(r) for r in example.references if r is not None} for example, answer in pairs]
    return Sums(np.stack([np.array(right, np.float64), np.ones(len(right))], 1), _ratio)


def _sequence_error_rate(pairs: Pairs) -> Sums:
    return Sums(_exact_match(pairs).amounts, lambda sums: 1 - _ratio(sums))


def _error_rate(unit: Unit) -> Callable[[Pairs], Sums]:
    def make(pairs: Pairs) -> Sums:
        return Sums(np.array([nearest(e, a.text, unit)[:2] for e, a in pairs], np.float64), _ratio)

    return make


def _errors(pairs: Pairs) -> tuple[Numbers, Numbers]:
    """(value − target, target)"""
    targets = np.array([float(example.target) for example, _ in pairs])
    return np.array([answer.value for _, answer in pairs]) - targets, targets


def _mae(pairs: Pairs) -> Sums:
    errors, _ = _errors(pairs)
    return Sums(np.stack([np.abs(errors), np.ones(len(errors))], 1), _ratio)


def _rmse(pairs: Pairs) -> Sums:
    errors, _ = _errors(pairs)
    return Sums(np.stack([errors**2, np.ones(len(errors))], 1), lambda sums: np.sqrt(_ratio(sums)))


def _r2(pairs: Pairs) -> Sums:
    errors, targets = _errors(pairs)
    apart = targets - targets.mean()  # R² does not change when all numbers are moved, and small numbers keep digits

    def value(sums: Numbers) -> Numbers:
        spread = sums[:, 2] - sums[:, 1] ** 2 / sums[:, 3]
        return 1 - sums[:, 0] / np.maximum(spread, 1e-300)

    return Sums(np.stack([errors**2, apart, apart**2, np.ones(len(errors))], 1), value)


def _corpus_score(name: str) -> Callable[[Pairs], Sums]:
    """What sacreBLEU counts in each sentence: the sums that its own significance tests resample."""

    def make(pairs: Pairs) -> Sums:
        references = [[str(r) for r in example.references if r is not None] for example, _ in pairs]
        scorer = METRICS.part(name)().scorer(references)  # pyright: ignore[reportAttributeAccessIssue]
        counted = scorer._extract_corpus_statistics([a.text for _, a in pairs], list(zip_longest(*references)))

        def value(sums: Numbers) -> Numbers:
            return np.array([scorer._compute_score_from_stats(row).score for row in np.rint(sums).astype(int).tolist()])

        return Sums(np.array(counted, np.float64), value)

    return make


_SUMS: dict[str, Callable[[Pairs], Sums]] = {
    "accuracy": _accuracy,
    "bleu": _corpus_score("bleu"),
    "character_error_rate": _error_rate("characters"),
    "chrf": _corpus_score("chrf"),
    "exact_match": _exact_match,
    "macro_f1": _macro_f1,
    "mae": _mae,
    "micro_f1": _micro_f1,
    "phone_error_rate": _error_rate("words"),
    "r2": _r2,
    "rmse": _rmse,
    "sequence_error_rate": _sequence_error_rate,
    "span_f1": _span_f1,
    "word_error_rate": _error_rate("words"),
}
