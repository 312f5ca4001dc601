"""Scores of whole corpora by sacreBLEU: what BLEU and chrF share."""

from collections.abc import Sequence
from itertools import zip_longest
from math import nan
from typing import Any

from headway.batch import Answer, Example, TransduceAnswer
from headway.metrics import Metric
from headway.metrics._answers import known, name_of, scorer_package


class CorpusScore(Metric):
    """Keeps the texts, as sacreBLEU scores a corpus at once; the number is from 0 to 100.

    Rows may have different numbers of references, which the signature then calls `nrefs:var`.
    """

    def __init__(self) -> None:
        self._sacrebleu = scorer_package(self, "sacrebleu")
        self._texts: list[str] = []
        self._references: list[list[str]] = []
        self._scored: tuple[float, str] | None = None

    def scorer(self, references: Sequence[Sequence[str]]) -> Any:
        """The scorer of sacreBLEU with its options; references: one list a row."""
        raise NotImplementedError

    def add(self, answers: Sequence[Answer], examples: Sequence[Example]) -> None:
        self._scored = None
        for answer, example in known(self, (TransduceAnswer,), answers, examples):
            self._texts.append(answer.text)
            self._references.append([str(target) for target in example.references if target is not None])

    def value(self) -> float:
        return self._score()[0] if self._texts else nan

    def signature(self) -> str:
        if not self._texts:
            return f"{name_of(self)}|nothing scored|version:{self._sacrebleu.__version__}"
        return self._score()[1]

    def _score(self) -> tuple[float, str]:
        if self._scored is None:
            scorer = self.scorer(self._references)
            # sacreBLEU wants one stream a reference; None stands where a row has fewer.
            score = scorer.corpus_score(self._texts, list(zip_longest(*self._references)))
            self._scored = score.score, f"{score.name}|{scorer.get_signature()}"
        return self._scored
