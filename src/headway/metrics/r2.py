"""Coefficient of determination: how much better than always answering the mean."""

from collections.abc import Sequence
from math import nan

from headway.batch import Answer, Example, RegressAnswer
from headway.metrics import Metric
from headway.metrics._answers import known, own_signature


class R2(Metric):
    """1 − Σ (value − target)² / Σ (target − mean target)², the mean being that of the examples measured.

    As scikit-learn's `r2_score`: 1 is perfect, 0 is the mean, and it may be negative. Where all targets are the same it
    is 1 if every answer is right and 0 if not. One example has no spread, so below two it is NaN.
    """

    def __init__(self) -> None:
        self._errors = self._mean = self._spread = 0.0
        self._count = 0

    def add(self, answers: Sequence[Answer], examples: Sequence[Example]) -> None:
        for answer, example in known(self, (RegressAnswer,), answers, examples):
            target = float(example.target)
            self._errors += (answer.value - target) ** 2
            # Welford 1962: the spread about a running mean, as Σ target² − N mean² would lose all digits.
            self._count += 1
            distance = target - self._mean
            self._mean += distance / self._count
            self._spread += distance * (target - self._mean)

    def value(self) -> float:
        if self._count < 2:
            return nan
        if self._spread == 0:
            return float(self._errors == 0)
        return 1 - self._errors / self._spread

    def signature(self) -> str:
        return own_signature(self)
