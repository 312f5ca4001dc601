"""Logistic regression on the subtrees of a graph, or on what a node of a large graph is joined to."""

from collections.abc import Sequence

import numpy as np

from headway.batch import Answer, ClassifyAnswer, Example
from headway.lab.baselines import Baseline
from headway.lab.baselines._logistic import Logistic
from headway.lab.baselines._sparse import TfIdf
from headway.lab.baselines._subtrees import DEPTH, NODES_PER_SECOND, cost, counts, refuses_other_than_graphs
from headway.lab.baselines._text import known_only, thinned
from headway.metrics._confusion import label_set


class ClassifySubtree(Baseline):
    """tf-idf of surroundings; labels exclude one another, sets of them as well."""

    task, name = "classify", "subtree"
    method = f"logistic regression on what stands 0-{DEPTH} edges around each node (Weisfeiler-Lehman)"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_graphs(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        different = {tuple(sorted(label_set(example.target))) for example in known_only(examples)}
        self._labels = sorted(different)
        most = self.budget * NODES_PER_SECOND * 10 / (10 + len(self._labels))
        known, self.thinned = thinned(examples, cost, most)
        seen = counts([example.source for example in known])
        self._weigh = TfIdf(seen, least=2 if len(known) > 100 else 1)
        place = {labels: number for number, labels in enumerate(self._labels)}
        targets = np.zeros((len(known), len(place)))
        targets[np.arange(len(known)), [place[tuple(sorted(label_set(example.target)))] for example in known]] = 1
        self._model = Logistic(exclusive=True)
        self._model.fit(self._weigh(seen), len(self._weigh.columns), targets)

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        chances = self._model.chances(self._weigh(counts([example.source for example in examples])))
        best = chances.argmax(1).tolist()
        return [ClassifyAnswer(self._labels[label], float(row[label])) for label, row in zip(best, chances)]
