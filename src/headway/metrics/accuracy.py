"""Accuracy: the share that is right."""

from collections.abc import Sequence
from math import nan

from headway.batch import Answer, ClassifyAnswer, Example, TagAnswer
from headway.metrics import Metric
from headway.metrics._answers import known, own_signature
from headway.metrics._confusion import label_set


class Accuracy(Metric):
    """right / all: over elements (tag), over rows (classify).

    Tag: an element that got no answer, and one whose label is not known, count as wrong. Several labels a row: right
    means the same set, which scikit-learn's `accuracy_score` calls subset accuracy.
    """

    percent = True

    def __init__(self) -> None:
        self._right = self._all = 0

    def add(self, answers: Sequence[Answer], examples: Sequence[Example]) -> None:
        for answer, example in known(self, (TagAnswer, ClassifyAnswer), answers, examples):
            if isinstance(answer, TagAnswer):
                self._right += sum(label == truth for label, truth in zip(answer.labels, example.target))
                self._all += len(example.target)
            else:
                self._right += frozenset(answer.labels) == label_set(example.target)
                self._all += 1

    def value(self) -> float:
        return self._right / self._all if self._all else nan

    def signature(self) -> str:
        return own_signature(self, tag="elements", several="exact-set", missing="wrong")
