"""The label that most neighbours of a node have."""

from collections import Counter
from collections.abc import Sequence

from headway.batch import Answer, ClassifyAnswer, Example
from headway.data.sources._neighbourhoods import Seed
from headway.lab.baselines import Baseline
from headway.lab.baselines._text import known_only
from headway.metrics._confusion import label_set


class ClassifyNeighbours(Baseline):
    """Of one large graph. Where no neighbour is in the training part, the most frequent label of all."""

    task, name = "classify", "neighbours"
    method = "the most frequent label of a node's neighbours in the training part"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return None if examples and isinstance(examples[0].source, Seed) else "it reads nodes of a large graph only"

    def fit(self, examples: Sequence[Example]) -> None:
        known = known_only(examples)
        sets = [(example.source, tuple(sorted(label_set(example.target)))) for example in known]
        self._labels = {source.node: labels for source, labels in sets if isinstance(source, Seed)}
        self._usual = Counter(labels for _, labels in sets)

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        return [self._answer(example.source) for example in examples]

    def _answer(self, seed: Seed) -> ClassifyAnswer:
        near = [other for lists in (seed.graph.there, seed.graph.back) for other, _ in lists.edges(seed.node)]
        votes = Counter(self._labels[other] for other in near if other in self._labels) or self._usual
        best = min(votes, key=lambda labels: (-votes[labels], labels))
        return ClassifyAnswer(best, votes[best] / votes.total())
