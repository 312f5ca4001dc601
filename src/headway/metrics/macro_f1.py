"""Macro F1: every label counts the same, however rare it is."""

from collections.abc import Sequence
from math import nan

from headway.batch import Answer, ClassifyAnswer, Example, TagAnswer
from headway.metrics import Metric
from headway.metrics._answers import known, own_signature
from headway.metrics._confusion import Confusion


class MacroF1(Metric):
    """The mean over labels of F1 = 2 right / (given + true), labels that occur in the truth or in the answers.

    As scikit-learn's `f1_score(average="macro", zero_division=0)` without a list of labels. For tag over elements.
    """

    percent = True

    def __init__(self) -> None:
        self._confusion = Confusion()

    def add(self, answers: Sequence[Answer], examples: Sequence[Example]) -> None:
        for answer, example in known(self, (ClassifyAnswer, TagAnswer), answers, examples):
            self._confusion.add(example, answer)

    def value(self) -> float:
        if not self._confusion.items:
            return nan
        scores = [row.f1 for row in self._confusion.table()]
        return sum(scores) / len(scores) if scores else 0.0

    def signature(self) -> str:
        return own_signature(self, labels="occurring", zero_division="0")
