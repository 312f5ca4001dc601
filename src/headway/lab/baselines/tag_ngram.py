"""A trigram hidden Markov model with suffixes for unknown words: TnT (Brants 2000)."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from headway.batch import Answer, Example, TagAnswer
from headway.lab.baselines import Baseline
from headway.lab.baselines._hmm import Hmm
from headway.lab.baselines._text import refuses_other_than_text, splitter, thinned

WORDS_PER_SECOND = 250_000


class TagNgram(Baseline):
    """What a label is follows from the word and from the two labels before it, over the sentence as a whole."""

    task, name = "tag", "ngram"
    method = "trigram hidden Markov model with suffixes for unknown words (TnT, Brants 2000)"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_text(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        self._split = splitter(examples)
        examples, self.thinned = thinned(examples, lambda row: len(row.target), self.budget * WORDS_PER_SECOND)
        self._model = Hmm([run for row in examples for run in _labelled(self._split(row.source), row.target)])

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        rows = [self._split(example.source) for example in examples]
        return [TagAnswer(row, tuple(self._model.tag(row))) for row in rows]


def _labelled(words: Sequence[str], labels: Sequence[str | None]) -> Iterator[tuple[list[str], list[str]]]:
    """The stretches of a sentence whose labels are known."""
    for unknown, run in groupby(zip(words, labels), lambda pair: pair[1] is None):
        if not unknown:
            stretch = list(run)
            yield [word for word, _ in stretch], [str(label) for _, label in stretch]
