"""The target of the nearest source: what a memory of translations gives."""

from collections.abc import Sequence

from headway.batch import Answer, Example, TransduceAnswer
from headway.lab.baselines import Baseline
from headway.lab.baselines._nearest import Index
from headway.lab.baselines._sparse import TfIdf, counts
from headway.lab.baselines._text import refuses_other_than_text, text, thinned

CHARACTERS_PER_SECOND = 400_000
LONGEST = 3
ENTRIES = 50_000
"""Of the index, read for one query; keeps a query near a millisecond among a hundred thousand sources."""


class TransduceNgram(Baseline):
    """Nearest by the cosine of tf-idf over n-grams of 1 … 3 characters, the ends of the text among them."""

    task, name = "transduce", "ngram"
    method = f"target of the nearest training source, by tf-idf of character 1-{LONGEST} grams"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_text(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        most = self.budget * CHARACTERS_PER_SECOND
        examples, self.thinned = thinned(examples, lambda example: len(text(example.source)), most)
        seen = counts([_framed(example) for example in examples], "character", LONGEST)
        self._weigh = TfIdf(seen)
        self._index = Index(self._weigh(seen), len(self._weigh.columns), ENTRIES)
        self._targets = [str(example.target) for example in examples]

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        rows = self._weigh(counts([_framed(example) for example in examples], "character", LONGEST))
        answers: list[Answer] = []
        for row in range(len(examples)):
            part = slice(rows.starts[row], rows.starts[row + 1])
            nearest = self._index.nearest(rows.columns[part], rows.values[part])
            answers.append(TransduceAnswer(self._targets[nearest]))
        return answers


def _framed(example: Example) -> str:
    """The source with its ends marked: an n-gram at an end differs from the same one inside, and no text is empty."""
    return f"\x02{text(example.source)}\x03"
