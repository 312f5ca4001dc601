"""Sequence error rate: the share of sequences that are not entirely right."""

from collections.abc import Sequence

from headway.batch import Answer, Example
from headway.metrics import Metric
from headway.metrics._answers import own_signature
from headway.metrics.exact_match import ExactMatch


class SequenceErrorRate(Metric):
    """1 − exact match, any reference counting as right.

    Work on spelling to sound calls this the word error rate: a word is wrong unless its pronunciation equals one that
    the dictionary lists (Yao & Zweig 2015, arXiv 1506.00196). `word_error_rate` counts words inside sentences instead.
    """

    higher_is_better = False
    percent = True

    def __init__(self) -> None:
        self._match = ExactMatch()

    def add(self, answers: Sequence[Answer], examples: Sequence[Example]) -> None:
        self._match.add(answers, examples)

    def value(self) -> float:
        return 1 - self._match.value()

    def signature(self) -> str:
        return own_signature(self, references="any")
