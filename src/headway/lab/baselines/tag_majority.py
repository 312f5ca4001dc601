"""The most frequent label of each word, whatever stands around it."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from headway.batch import Answer, Example, TagAnswer
from headway.lab.baselines import Baseline
from headway.lab.baselines._text import refuses_other_than_text, splitter, thinned

WORDS_PER_SECOND = 1_000_000


class TagMajority(Baseline):
    """A word that training never saw gets the most frequent label of the words that it saw once."""

    task, name = "tag", "majority"
    method = "the most frequent label of each word"

    def refuses(self, examples: Sequence[Example]) -> str | None:
        return refuses_other_than_text(examples)

    def fit(self, examples: Sequence[Example]) -> None:
        self._split = splitter(examples)
        examples, self.thinned = thinned(examples, lambda row: len(row.target), self.budget * WORDS_PER_SECOND)
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for example in examples:
            for word, label in zip(self._split(example.source), example.target):
                if label is not None:
                    counts[word][label] += 1
        once = Counter(label for labels in counts.values() if labels.total() == 1 for label in labels)
        self._labels = {word: most_frequent(labels) for word, labels in counts.items()}
        self._unknown = most_frequent(once or sum(counts.values(), Counter()))

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        rows = [self._split(example.source) for example in examples]
        return [TagAnswer(row, tuple(self._labels.get(word, self._unknown) for word in row)) for row in rows]


def most_frequent(counts: Counter[str]) -> str:
    """The most frequent; of several the first of the alphabet, so that the order of the data does not matter."""
    return min(counts, key=lambda label: (-counts[label], label), default="")
