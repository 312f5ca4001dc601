"""Logistic regression on the spectrum of a sound."""

from collections.abc import Sequence

import numpy as np

from headway.batch import Answer, ClassifyAnswer, Example
from headway.lab.baselines import Baseline
from headway.lab.baselines._spectrum import (
    BANDS,
    HUNDREDTHS_PER_SECOND,
    STRETCHES,
    Pictures,
    Softmax,
    refuses_other_than_sound,
)
from headway.lab.baselines._text import thinned
from headway.metrics._confusion import label_set


class ClassifySpectrum(Baseline):
    """A sound, long or short, is read at as many moments; labels exclude one another, sets of them as well."""

    task, name = "classify", "spectrum"
    method = f"logistic regression on {BANDS} log-mel bands at {STRETCHES} moments"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_sound(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        most = self.budget * HUNDREDTHS_PER_SECOND
        known, self.thinned = thinned(examples, lambda example: len(example.source), most)
        sets = [tuple(sorted(label_set(example.target))) for example in known]
        self._labels = sorted(set(sets))
        targets = np.array([[labels == one for one in self._labels] for labels in sets], np.float64)
        self._pictures, self._model = Pictures(), Softmax()
        self._model.fit(self._pictures.fit(known), targets)

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        chances = self._model.chances(self._pictures(examples))
        best = chances.argmax(1).tolist()
        return [ClassifyAnswer(self._labels[label], float(row[label])) for label, row in zip(best, chances)]
