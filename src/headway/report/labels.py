"""How well each label is found, and which is taken for which."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headway.batch import Answer, ClassifyAnswer, Example, TagAnswer
from headway.metrics._confusion import Confusion, LabelRow, Matrix
from headway.metrics.span_f1 import OUTSIDE, spans

MOST_ROWS = 60
"""Labels that have a row of their own; the rest is counted together."""
MOST_CELLS = 30
"""Labels that have a row and a column in the confusion matrix."""
LEVELS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5)
"""The shades of the matrix: a cell has the last one whose share of the row it is above, or has reached."""


@dataclass(frozen=True)
class LabelTable:
    """Rows by support, and the rest as one.

    rest     precision, recall and F1 of the labels that have no row, counted together; None where all have one
    hidden   how many these are
    """

    rows: list[LabelRow]
    rest: LabelRow | None
    hidden: int


@dataclass(frozen=True)
class LabelFindings:
    """What the answers say about labels; `spans` is None where labels mark no spans."""

    labels: LabelTable
    spans: LabelTable | None
    matrix: Matrix


def label_findings(examples: Sequence[Example], answers: Sequence[Answer]) -> LabelFindings | None:
    """The tables of a tagger or a classifier; None for others, and where no answer's label is known."""
    confusion, pairs = Confusion(), []
    for example, answer in zip(examples, answers, strict=True):
        if example.target is not None and isinstance(answer, (TagAnswer, ClassifyAnswer)):
            confusion.add(example, answer)
            pairs.append((example, answer))
    if not pairs:
        return None
    rows = confusion.table()
    found = None
    if isinstance(pairs[0][1], TagAnswer) and marks_spans(row.label for row in rows):
        found = capped(span_rows((e.target, a.labels) for e, a in pairs))
    return LabelFindings(capped(rows), found, confusion.matrix(MOST_CELLS))


def marks_spans(labels: Iterable[str]) -> bool:
    """Whether these labels mark beginnings and insides: B-PER, I-PER, O."""
    inside = [label for label in labels if label != OUTSIDE]
    return any(label.startswith("B-") for label in inside) and all(re.match("[BIES]-", label) for label in inside)


def span_rows(pairs: Iterable[tuple[Sequence[str | None], Sequence[str]]]) -> list[LabelRow]:
    """Precision, recall and F1 of whole spans by their type, the most frequent first: (right labels, labels given)."""
    right: Counter[str] = Counter()
    given: Counter[str] = Counter()
    true: Counter[str] = Counter()
    for target, labels in pairs:
        asked, answered = set(spans(target)), set(spans(labels[: len(target)]))
        true.update(kind for kind, *_ in asked)
        given.update(kind for kind, *_ in answered)
        right.update(kind for kind, *_ in asked & answered)
    kinds = sorted(true.keys() | given.keys(), key=lambda kind: (-true[kind], kind))
    return [label_row(kind, right[kind], given[kind], true[kind]) for kind in kinds]


def label_row(label: str, right: int, given: int, true: int) -> LabelRow:
    """Precision, recall and F1 from counts; a quotient with nothing below the line is 0."""

    def share(above: int, below: int) -> float:
        return above / below if below else 0.0

    return LabelRow(label, share(right, given), share(right, true), share(2 * right, given + true), true, given)


def capped(rows: list[LabelRow], most: int = MOST_ROWS) -> LabelTable:
    """The most frequent labels, and all others as one row of counts added up."""
    if len(rows) <= most:
        return LabelTable(rows, None, 0)
    others = rows[most:]
    right = sum(round(row.recall * row.support) for row in others)
    rest = label_row("", right, sum(row.predicted for row in others), sum(row.support for row in others))
    return LabelTable(rows[:most], rest, len(others))


def shades(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """For every cell of a confusion matrix the number of its shade, by its share of the row; 0 where nothing is."""
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return (share > 0).astype(np.int64) + sum((share >= level).astype(np.int64) for level in LEVELS[1:])


def confusions(matrix: Matrix, most: int = 5) -> list[tuple[str, str, int]]:
    """(right label, label given, how often) of the most frequent mistakes."""
    cells = [
        (matrix.labels[i], matrix.labels[j], int(matrix.counts[i, j]))
        for i, j in zip(*np.nonzero(matrix.counts), strict=True)
        if i != j
    ]
    return sorted(cells, key=lambda cell: -cell[2])[:most]
