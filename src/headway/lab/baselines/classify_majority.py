"""The most frequent answer, whatever is asked."""

from collections import Counter
from collections.abc import Sequence

from headway.batch import Answer, ClassifyAnswer, Example
from headway.lab.baselines import Baseline
from headway.lab.baselines._text import known_only
from headway.metrics._confusion import label_set


class ClassifyMajority(Baseline):
    """The most frequent label; where rows have several, the most frequent set of labels."""

    task, name = "classify", "majority"
    method = "the most frequent label"

    def fit(self, examples: Sequence[Example]) -> None:
        sets = Counter(tuple(sorted(label_set(example.target))) for example in known_only(examples))
        best = min(sets, key=lambda labels: (-sets[labels], labels))
        self._answer = ClassifyAnswer(best, sets[best] / sets.total())

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        return [self._answer] * len(examples)
