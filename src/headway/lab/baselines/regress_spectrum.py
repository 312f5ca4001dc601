"""Ridge regression on the spectrum of a sound."""

from collections.abc import Sequence

import numpy as np

from headway.batch import Answer, Example, RegressAnswer
from headway.lab.baselines import Baseline
from headway.lab.baselines._spectrum import (
    BANDS,
    HUNDREDTHS_PER_SECOND,
    STRETCHES,
    Pictures,
    refuses_other_than_sound,
)
from headway.lab.baselines._text import thinned

PENALTY = 100.0
"""What |w|² counts; every column has the spread 1."""


class RegressSpectrum(Baseline):
    """A sound, long or short, is read at as many moments."""

    task, name = "regress", "spectrum"
    method = f"ridge regression on {BANDS} log-mel bands at {STRETCHES} moments"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_sound(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        """(XᵀX + α) w = Xᵀ(y − ȳ), where the columns of X have the mean 0."""
        most = self.budget * HUNDREDTHS_PER_SECOND
        known, self.thinned = thinned(examples, lambda example: len(example.source), most)
        targets = np.array([float(example.target) for example in known])
        self._pictures, self._mean = Pictures(), targets.mean()
        x = self._pictures.fit(known)
        self._weights = np.linalg.solve(x.T @ x + PENALTY * np.eye(x.shape[1]), x.T @ (targets - self._mean))

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        return [RegressAnswer(value) for value in (self._pictures(examples) @ self._weights + self._mean).tolist()]
