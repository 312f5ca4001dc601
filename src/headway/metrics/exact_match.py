"""Exact match: the share of sequences that are entirely right."""

from collections.abc import Sequence
from math import nan

from headway.batch import Answer, Example, TransduceAnswer
from headway.metrics import Metric
from headway.metrics._answers import known, own_signature, texts


class ExactMatch(Metric):
    """Outputs that equal any of their references, character by character, divided by all outputs."""

    percent = True

    def __init__(self) -> None:
        self._right = self._all = 0

    def add(self, answers: Sequence[Answer], examples: Sequence[Example]) -> None:
        for answer, example in known(self, (TransduceAnswer,), answers, examples):
            self._right += answer.text in texts(example)
            self._all += 1

    def value(self) -> float:
        return self._right / self._all if self._all else nan

    def signature(self) -> str:
        return own_signature(self, references="any")
