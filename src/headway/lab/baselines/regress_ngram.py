"""Ridge regression on the character n-grams of a text."""

from collections.abc import Sequence

import numpy as np

from headway.batch import Answer, Example, RegressAnswer
from headway.lab.baselines import Baseline
from headway.lab.baselines._ridge import Ridge
from headway.lab.baselines._sparse import Columns, Sparse, counts
from headway.lab.baselines._text import refuses_other_than_text, text, thinned

CHARACTERS_PER_SECOND = 100_000
LONGEST = 4


class RegressNgram(Baseline):
    """Each n-gram of 1 … 4 characters adds its share, ln(1 + how often it occurs) times. Upper case is not lower case,
    as the texts may be formulas."""

    task, name = "regress", "ngram"
    method = f"ridge regression on character 1-{LONGEST} grams"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_text(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        most = self.budget * CHARACTERS_PER_SECOND
        examples, self.thinned = thinned(examples, lambda example: len(text(example.source)), most)
        seen = counts([text(example.source) for example in examples], "character", LONGEST)
        self._columns = Columns(seen)
        self._model = Ridge()
        self._model.fit(self._read(seen), len(self._columns), np.array([float(example.target) for example in examples]))

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        seen = counts([text(example.source) for example in examples], "character", LONGEST)
        return [RegressAnswer(value) for value in self._model.values(self._read(seen)).tolist()]

    def _read(self, seen: Sparse) -> Sparse:
        known = self._columns(seen)
        return Sparse(known.starts, known.columns, np.log1p(known.values))
