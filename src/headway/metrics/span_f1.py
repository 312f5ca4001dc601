"""Span F1: names and chunks count as found only with the right ends and the right type."""

from collections.abc import Iterator, Sequence
from math import nan

from headway.batch import Answer, Example, TagAnswer
from headway.metrics import Metric
from headway.metrics._answers import known, own_signature

OUTSIDE = "O"


class SpanF1(Metric):
    """2 right / (given + true), where a span is right if type, first and last element are; 0 where there are none.

    Spans are read as CoNLL's `conlleval` and seqeval's default mode read them (Tjong Kim Sang & Buchholz 2000): BIO in
    both dialects (IOB1, IOB2) and BIOES, leniently, so that an I after O begins a span. An element that got no answer,
    and one whose label is not known, is outside.
    """

    percent = True

    def __init__(self) -> None:
        self._right = self._given = self._true = self._items = 0

    def add(self, answers: Sequence[Answer], examples: Sequence[Example]) -> None:
        for answer, example in known(self, (TagAnswer,), answers, examples):
            given = set(spans(answer.labels[: len(example.target)]))
            true = set(spans(example.target))
            self._right += len(given & true)
            self._given += len(given)
            self._true += len(true)
            self._items += 1

    def value(self) -> float:
        if not self._items:
            return nan
        below = self._given + self._true
        return 2 * self._right / below if below else 0.0

    def signature(self) -> str:
        return own_signature(self, average="micro", spans="seqeval-default")


def spans(labels: Sequence[str | None]) -> Iterator[tuple[str, int, int]]:
    """(type, first, last) of every span.

    >>> list(spans(["B-PER", "I-PER", "O", "I-LOC", "I-ORG"]))
    [('PER', 0, 1), ('LOC', 3, 3), ('ORG', 4, 4)]
    """
    before, before_kind, first = OUTSIDE, "", 0
    for here, label in enumerate([*labels, OUTSIDE]):
        mark, kind = _parts(label or OUTSIDE)
        changed = kind != before_kind
        if _ends(before, mark) or (changed and before not in "O."):
            yield before_kind, first, here - 1
        if _begins(before, mark) or (changed and mark not in "O."):
            first = here
        before, before_kind = mark, kind


def _parts(label: str) -> tuple[str, str]:
    """`B-PER` as its mark and its type; a mark alone is of type `_`."""
    mark, rest = label[0], label[1:]
    return mark, (rest.partition("-")[2] if "-" in rest else rest) or "_"


def _ends(before: str, mark: str) -> bool:
    return before in "ES" or (before in "BI" and mark in "BSO")


def _begins(before: str, mark: str) -> bool:
    return mark in "BS" or (before in "ESO" and mark in "EI")
