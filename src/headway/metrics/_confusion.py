"""Which label was taken for which: the counts behind every F1, the table by label, and the confusion matrix."""

from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headway.batch import ClassifyAnswer, Example, TagAnswer

NOTHING = "(nothing)"
"""The row of labels given where none was right, and the column of right labels for which none was given."""
OTHERS = "(others)"
"""The row and column of the labels that are too many to show."""


class LabelRow(NamedTuple):
    """How well one label is found; a quotient with nothing below the line is 0 (scikit-learn's zero_division=0)."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


class Matrix(NamedTuple):
    """counts[i, j]: how often labels[j] was given where labels[i] was right."""

    labels: tuple[str, ...]
    counts: NDArray[np.int64]


class Confusion:
    """Counts pairs of (right label, label given), over elements (tag) or over rows (classify).

    Tag: an element that got no answer is a right label with nothing given; an element whose label is not known is a
    label given with nothing right. Several labels a row: what is in both sets is right, the rest of either side stands
    against nothing, but for one label in place of one other, which is a confusion of the two.
    """

    def __init__(self) -> None:
        self.items = 0
        self.cells: Counter[tuple[str | None, str | None]] = Counter()

    def add(self, truth: Example, prediction: TagAnswer | ClassifyAnswer) -> None:
        """Count one example."""
        self.items += 1
        if isinstance(prediction, TagAnswer):
            self.cells.update(zip_longest(truth.target or (), prediction.labels[: len(truth.target or ())]))
        else:
            self.cells.update(_set_cells(label_set(truth.target), frozenset(prediction.labels)))

    def rows(self) -> Iterator[tuple[str, int, int, int]]:
        """(label, times right, times given, times it should have been) of every label that occurs."""
        given: Counter[str | None] = Counter()
        true: Counter[str | None] = Counter()
        for (right, answer), count in self.cells.items():
            true[right] += count
            given[answer] += count
        for label in sorted({*true, *given} - {None}, key=lambda label: (-true[label], str(label))):
            yield str(label), self.cells[label, label], given[label], true[label]

    def table(self) -> list[LabelRow]:
        """Precision, recall and F1 of every label, the most frequent first."""
        return [
            LabelRow(label, _share(right, given), _share(right, true), _share(2 * right, given + true), true, given)
            for label, right, given, true in self.rows()
        ]

    def matrix(self, most: int = 30) -> Matrix:
        """The counts of the `most` most frequent labels; the rest together as OTHERS, NOTHING where there is any."""
        labels: list[str | None] = [label for label, *_ in self.rows()]
        shown, rest = labels[:most], set(labels[most:])
        names = [str(label) for label in shown] + ([OTHERS] if rest else [])
        place = {label: number for number, label in enumerate(shown)} | dict.fromkeys(rest, len(shown))
        if any(None in cell for cell in self.cells):
            place[None] = len(names)
            names.append(NOTHING)
        counts = np.zeros((len(names), len(names)), np.int64)
        for (right, answer), count in self.cells.items():
            counts[place[right], place[answer]] += count
        return Matrix(tuple(names), counts)


def label_set(target: Any) -> frozenset[str]:
    """The labels of a row: one label, or several."""
    return frozenset([target]) if isinstance(target, str) else frozenset(target or ())


def _set_cells(true: frozenset[str], given: frozenset[str]) -> Iterator[tuple[str | None, str | None]]:
    yield from ((label, label) for label in true & given)
    missed, wrong = true - given, given - true
    if len(missed) == len(wrong) == 1:
        yield from zip(missed, wrong)
    else:
        yield from ((label, None) for label in missed)
        yield from ((None, label) for label in wrong)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
