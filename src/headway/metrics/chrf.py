"""chrF: how many n-grams of characters the output shares with its reference."""

from collections.abc import Sequence
from typing import Any

from headway.metrics._corpus_score import CorpusScore


class Chrf(CorpusScore):
    """chrF2 (Popović 2015) as sacreBLEU computes it, 0 to 100: Fβ with β = 2 over n-grams of 1 … 6 characters.

    Needs no tokenizer, so it is the fairer of the two for languages without blanks and with rich endings. Of several
    references the one with the best F counts, row by row.
    """

    def scorer(self, references: Sequence[Sequence[str]]) -> Any:
        return self._sacrebleu.metrics.CHRF()
