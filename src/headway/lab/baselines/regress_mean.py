"""The mean, whatever is asked."""

from collections.abc import Sequence
from statistics import fmean

from headway.batch import Answer, Example, RegressAnswer
from headway.lab.baselines import Baseline
from headway.lab.baselines._text import known_only


class RegressMean(Baseline):
    """What the R² of a model is measured against."""

    task, name = "regress", "mean"
    method = "the mean of the training part"

    def fit(self, examples: Sequence[Example]) -> None:
        self._answer = RegressAnswer(fmean(float(example.target) for example in known_only(examples)))

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        return [self._answer] * len(examples)
