"""What was said in the most similar sound."""

from collections.abc import Sequence

import numpy as np

from headway.batch import Answer, Example, TransduceAnswer
from headway.lab.baselines import Baseline
from headway.lab.baselines._spectrum import (
    BANDS,
    HUNDREDTHS_PER_SECOND,
    STRETCHES,
    Pictures,
    refuses_other_than_sound,
)
from headway.lab.baselines._text import thinned


class TransduceSpectrum(Baseline):
    """A sound, long or short, is read at as many moments, and the nearest of the training part speaks for it."""

    task, name = "transduce", "spectrum"
    method = f"the target of the nearest sound by {BANDS} log-mel bands at {STRETCHES} moments"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_sound(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        most = self.budget * HUNDREDTHS_PER_SECOND
        known, self.thinned = thinned(examples, lambda example: len(example.source), most)
        self._targets = [example.target for example in known]
        self._pictures = Pictures()
        self._known = self._pictures.fit(known)
        self._sizes = (self._known**2).sum(1)

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        distances = self._sizes - 2 * self._pictures(examples) @ self._known.T  # less the asking sound's own size
        return [TransduceAnswer(self._targets[nearest]) for nearest in np.argmin(distances, 1).tolist()]
