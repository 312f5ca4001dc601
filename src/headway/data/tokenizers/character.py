"""Characters: every one is an element, a blank too; nothing is unknown but characters that training never saw."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headway.data.tokenizers import Text, Tokenizer, most_frequent, vocabulary_of
from headway.settings import Branch, Count


class Settings(Branch):
    size: Count = 20_000
    "Characters that are known at most, the frequent ones first."
    least: Count = 1
    "Times a character must occur in training to be known."
    lowercase: bool = False
    "Read capital letters as small ones."


class Character(Tokenizer):
    def __init__(self, settings: Settings, state: Mapping[str, Any] | None = None):
        self.settings = settings
        self.vocabulary = vocabulary_of(state["vocabulary"] if state else [])

    def fit(self, texts: Iterable[Text]) -> None:
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(self.elements(text))
        self.vocabulary = vocabulary_of(most_frequent(counts, self.settings.size, self.settings.least))

    def elements(self, text: Text) -> Sequence[str]:
        text = text if isinstance(text, str) else " ".join(text)
        return text.lower() if self.settings.lowercase else text

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.pieces(ids))
