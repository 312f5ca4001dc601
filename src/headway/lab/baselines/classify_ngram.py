"""Logistic regression on the n-grams of a text."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headway.batch import Answer, ClassifyAnswer, Example
from headway.lab.baselines import Baseline
from headway.lab.baselines._logistic import Logistic
from headway.lab.baselines._sparse import TfIdf, Unit, counts, unit_of
from headway.lab.baselines._text import known_only, refuses_other_than_text, text, thinned
from headway.metrics._confusion import label_set

CHARACTERS_PER_SECOND = {"word": 4_000_000, "character": 1_000_000}
"""To read and count; every yes or no that is learned costs as much again."""
LONGEST = 2


class ClassifyNgram(Baseline):
    """tf-idf of words and pairs of words, or of characters and pairs of them where the texts have no blanks (Chinese).

    Two labels are one yes or no; more exclude one another (softmax); several a row are each a yes or no of their own.
    """

    task, name = "classify", "ngram"
    method = "logistic regression on tf-idf of n-grams"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_text(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        known = known_only(examples)
        sets = {label_set(example.target) for example in known}
        self._labels = sorted(set().union(*sets))
        self._several = any(len(labels) != 1 for labels in sets)
        self._unit: Unit = unit_of([text(example.source) for example in known])
        most = self.budget * CHARACTERS_PER_SECOND[self._unit] / (2 if self._binary else 1 + len(self._labels))
        known, self.thinned = thinned(known, lambda example: len(text(example.source)), most)
        texts = [text(example.source).lower() for example in known]
        self.method = f"logistic regression on tf-idf of {self._unit} 1-{LONGEST} grams"
        seen = counts(texts, self._unit, LONGEST)
        # What occurs once says nothing, and is half of all n-grams; in a handful of texts nothing may occur twice.
        self._weigh = TfIdf(seen, least=2 if len(texts) > 100 else 1)
        targets = self._targets(known)
        self._model = Logistic(exclusive=not self._several and targets.shape[1] > 1)
        self._model.fit(self._weigh(seen), len(self._weigh.columns), targets)

    def _targets(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        place = {label: number for number, label in enumerate(self._labels)}
        table = np.zeros((len(examples), len(self._labels)))
        for row, example in enumerate(examples):
            table[row, [place[label] for label in label_set(example.target)]] = 1
        return table[:, 1:] if self._binary else table

    @property
    def _binary(self) -> bool:
        """Whether one column, that of the second label, says everything."""
        return not self._several and len(self._labels) == 2

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        texts = [text(example.source).lower() for example in examples]
        chances = self._model.chances(self._weigh(counts(texts, self._unit, LONGEST)))
        if self._binary:
            chances = np.concatenate([1 - chances, chances], 1)
        return [self._answer(row.tolist()) for row in chances]

    def _answer(self, chances: list[float]) -> ClassifyAnswer:
        scores = dict(zip(self._labels, chances))
        if not self._several:
            best = max(scores, key=scores.__getitem__)
            return ClassifyAnswer((best,), scores[best], scores)
        labels = tuple(label for label, chance in scores.items() if chance > 0.5)
        return ClassifyAnswer(labels, min((scores[label] for label in labels), default=1 - max(chances)), scores)
