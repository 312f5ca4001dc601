"""Mean absolute error."""

from collections.abc import Sequence
from math import nan

from headway.batch import Answer, Example, RegressAnswer
from headway.metrics import Metric
from headway.metrics._answers import known, own_signature


class Mae(Metric):
    """Σ |value − target| / N, in the unit of the data."""

    higher_is_better = False

    def __init__(self) -> None:
        self._sum, self._count = 0.0, 0

    def add(self, answers: Sequence[Answer], examples: Sequence[Example]) -> None:
        for answer, example in known(self, (RegressAnswer,), answers, examples):
            self._sum += abs(answer.value - float(example.target))
            self._count += 1

    def value(self) -> float:
        return self._sum / self._count if self._count else nan

    def signature(self) -> str:
        return own_signature(self)
