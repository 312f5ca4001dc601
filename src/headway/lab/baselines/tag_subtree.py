"""The most frequent label of a node with its surroundings, of a node with less of them, of a node alone."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from headway.batch import Answer, Example, TagAnswer
from headway.lab.baselines import Baseline
from headway.lab.baselines._subtrees import DEPTH, NODES_PER_SECOND, called, cost, refuses_other_than_graphs
from headway.lab.baselines._text import thinned
from headway.lab.baselines.tag_majority import most_frequent


class TagSubtree(Baseline):
    """The largest surroundings that training has seen decide; the most frequent label of all where none are known."""

    task, name = "tag", "subtree"
    method = f"the most frequent label of what stands 0-{DEPTH} edges around a node (Weisfeiler-Lehman)"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_graphs(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        known, self.thinned = thinned(examples, cost, self.budget * NODES_PER_SECOND)
        counts: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
        usual: Counter[str] = Counter()
        for example in known:
            usual.update(label for label in example.target if label is not None)
            for depth, names in enumerate(called(example.source)):
                for name, label in zip(names, example.target, strict=True):
                    if label is not None:
                        counts[depth, name][label] += 1
        self._labels = {key: most_frequent(labels) for key, labels in counts.items()}
        self._usual = most_frequent(usual)

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        return [TagAnswer(example.source.words, tuple(self._of(example.source))) for example in examples]

    def _of(self, graph) -> list[str]:
        depths = list(enumerate(called(graph)))[::-1]
        return [
            next(
                (self._labels[depth, names[i]] for depth, names in depths if (depth, names[i]) in self._labels),
                self._usual,
            )
            for i in range(len(graph))
        ]
