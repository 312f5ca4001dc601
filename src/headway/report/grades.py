"""How good is each single answer: figures that add up, so that any group of answers can be given one."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.batch import Answer, ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
from headway.metrics._confusion import label_set
from headway.report.units import Unit, length, symbols, unit_of

WORK = 2_000_000
"""Symbols of written sequences that are compared; of more, examples are taken evenly."""
SENTENCES = 5_000
"""Sequences whose chrF is computed one by one; of more, examples are taken evenly."""


@dataclass(frozen=True)
class Score:
    """A figure of a group of rows: the sum of its amounts over the sum of its weights."""

    name: str
    percent: bool
    higher_is_better: bool
    amounts: NDArray[np.float64]
    weights: NDArray[np.float64]

    def of(self, rows: NDArray[np.int64] | None = None) -> float:
        """The figure of these rows, or of all; NaN where there is nothing to count."""
        amounts, weights = (self.amounts, self.weights) if rows is None else (self.amounts[rows], self.weights[rows])
        below = weights.sum()
        return float(amounts.sum() / below) if below else float("nan")


@dataclass(frozen=True)
class Grades:
    """Examples whose target is known, with their answers.

    lengths   of the sources, in `unit`
    badness   0 where all is right; the larger, the worse
    every     1 where all examples were looked at, n where it was one in n
    """

    examples: Sequence[Example]
    answers: Sequence[Answer]
    unit: Unit
    lengths: NDArray[np.int64]
    scores: tuple[Score, ...]
    badness: NDArray[np.float64]
    every: int = 1


def grades(examples: Sequence[Example], answers: Sequence[Answer], metrics: Sequence[str] = ()) -> Grades | None:
    """Grade every answer whose target is known; None where there is none.

    metrics   what the run is measured by, which decides how a new sequence is graded
    """
    pairs = [(e, a) for e, a in zip(examples, answers, strict=True) if e.target is not None]
    if not pairs:
        return None
    kind = type(pairs[0][1])
    every = _every(pairs, metrics) if kind is TransduceAnswer else 1
    pairs = pairs[::every]
    scores, badness = GRADERS[kind](pairs, metrics)
    unit = unit_of([example.source for example, _ in pairs])
    lengths = np.array([length(example.source, unit) for example, _ in pairs], np.int64)
    return Grades([e for e, _ in pairs], [a for _, a in pairs], unit, lengths, scores, badness, every)


Pairs = Sequence[tuple[Example, Any]]
Graded = tuple[tuple[Score, ...], NDArray[np.float64]]


def wrong_elements(example: Example, answer: TagAnswer) -> list[int]:
    """Positions whose label is wrong or missing."""
    given = answer.labels
    return [i for i, label in enumerate(example.target) if i >= len(given) or given[i] != label]


def _tags(pairs: Pairs, metrics: Sequence[str]) -> Graded:
    wrong = np.array([len(wrong_elements(e, a)) for e, a in pairs], np.float64)
    counts = np.array([len(e.target) for e, _ in pairs], np.float64)
    # More wrong elements are worse; of as many, the larger share.
    return (Score("accuracy", True, True, counts - wrong, counts),), wrong + 0.5 * wrong / np.maximum(counts, 1)


def _classes(pairs: Pairs, metrics: Sequence[str]) -> Graded:
    right = np.array([label_set(e.target) == frozenset(a.labels) for e, a in pairs], np.float64)
    sure = np.array([a.score for _, a in pairs], np.float64)
    # The surer, the worse, but a wrong answer is never as good as a right one.
    return (Score("accuracy", True, True, right, np.ones(len(pairs))),), (1 - right) * np.maximum(sure, 1e-9)


def _numbers(pairs: Pairs, metrics: Sequence[str]) -> Graded:
    errors = np.array([abs(a.value - float(e.target)) for e, a in pairs], np.float64)
    return (Score("mean absolute error", False, False, errors, np.ones(len(pairs))),), errors


def _sequences(pairs: Pairs, metrics: Sequence[str]) -> Graded:
    unit, name = sequence_unit([e for e, _ in pairs], metrics)
    found = [nearest(e, a.text, unit) for e, a in pairs]
    edits, right, given = np.array(found, np.float64).T
    exact = np.array([a.text in e.references for e, a in pairs], np.float64)
    scores = [
        Score(f"{name} error rate", True, False, edits, right),
        Score("exact match", True, True, exact, np.ones(len(pairs))),
    ]
    if {"bleu", "chrf"} & set(metrics) and (chrf := _chrf()) is not None:
        values = np.array([chrf(a.text, [str(r) for r in e.references]) for e, a in pairs], np.float64)
        scores = [Score("chrF", False, True, values, np.ones(len(pairs))), scores[0]]
    share = edits / np.maximum(np.maximum(right, given), 1)
    return tuple(scores), np.where(exact == 1, 0.0, np.maximum(share + 1e-6 * np.minimum(edits, 1e5), 1e-9))


GRADERS: dict[type, Callable[[Pairs, Sequence[str]], Graded]] = {
    TagAnswer: _tags,
    ClassifyAnswer: _classes,
    RegressAnswer: _numbers,
    TransduceAnswer: _sequences,
}


# -------------------------------------------------------------------------------------------------------- sequences


COUNTED: dict[str, Unit] = {"character": "characters", "phone": "words", "word": "words"}
"""By what the error rates count: how a text is cut to get it."""


def sequence_unit(examples: Sequence[Example], metrics: Sequence[str]) -> tuple[Unit, str]:
    """What written sequences are compared by, and its name: as their metric counts, or as their texts look."""
    for name, unit in COUNTED.items():
        if f"{name}_error_rate" in metrics:
            return unit, name
    unit = unit_of([example.target for example in examples])
    return unit, unit.removesuffix("s")


def nearest(example: Example, text: str, unit: Unit) -> tuple[int, int, int]:
    """(edits, symbols of the right text, symbols written) for the nearest right text; of several the longest."""
    written = symbols(text, unit)
    sides = [symbols(str(right), unit) for right in example.references if right is not None]
    edits, below = min(
        ((distance(written, right), len(right)) for right in sides), key=lambda found: (found[0], -found[1])
    )
    return edits, below, len(written)


def distance(a: Sequence[Any], b: Sequence[Any]) -> int:
    """Substitutions, deletions and insertions that turn one sequence into the other (Levenshtein).

    A whole column of the table at once, as the bits of one number: Myers 1999 in the form of Hyyrö 2003.
    """
    if not a or not b:
        return max(len(a), len(b))
    places: dict[Any, int] = {}
    for number, symbol in enumerate(a):
        places[symbol] = places.get(symbol, 0) | 1 << number
    everything, last = (1 << len(a)) - 1, 1 << (len(a) - 1)
    up, down, cost = everything, 0, len(a)
    for symbol in b:
        equal = places.get(symbol, 0)
        diagonal = (((equal & up) + up) ^ up) | equal | down
        rising, falling = down | (everything & ~(diagonal | up)), diagonal & up
        cost += bool(rising & last) - bool(falling & last)
        rising, falling = rising << 1 | 1, falling << 1
        up, down = (falling | (everything & ~(diagonal | rising))) & everything, rising & diagonal & everything
    return cost


def _every(pairs: Pairs, metrics: Sequence[str]) -> int:
    """One in how many sequences is looked at, so that the report is made in seconds."""
    work = sum(len(e.references) * len(a.text) * (1 + len(a.text) // 4000) for e, a in pairs)
    every = -(-work // WORK)
    if {"bleu", "chrf"} & set(metrics):
        every = max(every, -(-len(pairs) // SENTENCES))
    return max(1, every)


def _chrf() -> Callable[[str, list[str]], float] | None:
    """chrF of one sentence by sacreBLEU; None where it is not installed."""
    try:
        sacrebleu = importlib.import_module("sacrebleu")
    except ModuleNotFoundError:
        return None
    scorer = sacrebleu.metrics.CHRF()
    return lambda text, references: scorer.sentence_score(text, references).score


# ---------------------------------------------------------------------------------------------------------- lengths


@dataclass(frozen=True)
class Bucket:
    """Rows whose source is `first` … `last` long."""

    first: int
    last: int
    rows: NDArray[np.int64]


def buckets(lengths: NDArray[np.int64], most: int = 8) -> list[Bucket]:
    """At most so many groups of about as many rows each; rows of one length are never parted."""
    found, order = [], np.argsort(lengths, kind="stable")
    values, counts = np.unique(lengths, return_counts=True)
    ends = np.cumsum(counts)
    wanted = max(1, min(most, len(lengths) // 4))
    start = begun = 0
    for number, end in enumerate(ends.tolist()):
        left = wanted - len(found)
        if end == len(lengths) or (end - start) * left >= len(lengths) - start:
            found.append(Bucket(int(values[begun]), int(values[number]), order[start:end]))
            start, begun = end, number + 1
    return found
