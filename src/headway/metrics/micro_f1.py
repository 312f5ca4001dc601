"""Micro F1: every decision for a label counts the same; the measure of rows that may have several labels."""

from collections.abc import Sequence
from math import nan

from headway.batch import Answer, ClassifyAnswer, Example
from headway.metrics import Metric
from headway.metrics._answers import known, own_signature
from headway.metrics._confusion import Confusion


class MicroF1(Metric):
    """2 Σ right / (Σ given + Σ true), summed over rows and labels; 0 where there are no labels at all.

    As scikit-learn's `f1_score(average="micro", zero_division=0)`. With one label a row it equals accuracy.
    """

    percent = True

    def __init__(self) -> None:
        self._confusion = Confusion()

    def add(self, answers: Sequence[Answer], examples: Sequence[Example]) -> None:
        for answer, example in known(self, (ClassifyAnswer,), answers, examples):
            self._confusion.add(example, answer)

    def value(self) -> float:
        if not self._confusion.items:
            return nan
        rows = list(self._confusion.rows())
        below = sum(given + true for _, _, given, true in rows)
        return 2 * sum(right for _, right, _, _ in rows) / below if below else 0.0

    def signature(self) -> str:
        return own_signature(self, zero_division="0")
