"""Errors of editing against the nearest right target: what the word, character and phone error rates share."""

from collections.abc import Sequence
from importlib.metadata import version
from math import nan
from typing import Any, ClassVar

from headway.batch import Answer, Example, TransduceAnswer
from headway.metrics import Metric
from headway.metrics._answers import known, name_of, scorer_package, texts


class ErrorRate(Metric):
    """Σ (substitutions + deletions + insertions) / Σ length of the reference, over the whole corpus, by jiwer.

    Of several references the nearest counts: the one with the fewest errors, and of those the longest, so that their
    order does not matter. Where all references are empty it is the number of insertions, as jiwer has it.
    """

    higher_is_better = False
    percent = True
    process: ClassVar[str]
    "The function of jiwer that aligns."

    def __init__(self) -> None:
        self._jiwer = scorer_package(self, "jiwer")
        self._errors = self._length = self._items = 0

    def add(self, answers: Sequence[Answer], examples: Sequence[Example]) -> None:
        pairs = known(self, (TransduceAnswer,), answers, examples)
        items = [(answer.text, texts(example)) for answer, example in pairs]
        if not items:
            return
        aligned = getattr(self._jiwer, self.process)(
            [reference for _, references in items for reference in references],
            [text for text, references in items for _ in references],
        )
        costs = iter(zip(map(_errors, aligned.alignments), map(len, aligned.references)))
        for _, references in items:
            errors, length = min((next(costs) for _ in references), key=lambda cost: (cost[0], -cost[1]))
            self._errors += errors
            self._length += length
        self._items += len(items)

    def value(self) -> float:
        if not self._items:
            return nan
        return self._errors / self._length if self._length else float(self._errors)

    def signature(self) -> str:
        return f"{name_of(self)}|references:nearest|by:jiwer.{self.process}|version:{version('jiwer')}"


def _errors(alignment: Sequence[Any]) -> int:
    return sum(
        max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
        for chunk in alignment
        if chunk.type != "equal"
    )
