"""The source itself, unchanged."""

from collections.abc import Sequence

from headway.batch import Answer, Example, TransduceAnswer
from headway.lab.baselines import Baseline
from headway.lab.baselines._text import refuses_other_than_text, text


class TransduceCopy(Baseline):
    """Shows how much of the score is names, numbers and marks that both sides share."""

    task, name = "transduce", "copy"
    method = "the source itself"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_text(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        pass

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        return [TransduceAnswer(text(example.source)) for example in examples]
