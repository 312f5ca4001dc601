"""Ridge regression on the subtrees of a graph."""

from collections.abc import Sequence

import numpy as np

from headway.batch import Answer, Example, RegressAnswer
from headway.lab.baselines import Baseline
from headway.lab.baselines._ridge import Ridge
from headway.lab.baselines._sparse import Columns, Sparse
from headway.lab.baselines._subtrees import DEPTH, NODES_PER_SECOND, cost, counts, refuses_other_than_graphs
from headway.lab.baselines._text import thinned


class RegressSubtree(Baseline):
    """Each surrounding of a node adds its share, ln(1 + how often it occurs) times."""

    task, name = "regress", "subtree"
    method = f"ridge regression on what stands 0-{DEPTH} edges around each node (Weisfeiler-Lehman)"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_graphs(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        known, self.thinned = thinned(examples, cost, self.budget * NODES_PER_SECOND)
        seen = counts([example.source for example in known])
        self._columns, self._model = Columns(seen), Ridge()
        targets = np.array([float(example.target) for example in known])
        self._model.fit(self._read(seen), len(self._columns), targets)

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        seen = self._read(counts([example.source for example in examples]))
        return [RegressAnswer(value) for value in self._model.values(seen).tolist()]

    def _read(self, seen: Sparse) -> Sparse:
        known = self._columns(seen)
        return Sparse(known.starts, known.columns, np.log1p(known.values))
