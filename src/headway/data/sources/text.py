"""Text as rows of numbers: of elements in the vocabulary, or of word forms where the input reads their letters."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.batch import SPECIALS, Example, Part, Value
from headway.data.settings import DataSettings
from headway.data.sources import SourceCodec
from headway.data.tokenizers import TOKENIZERS, Text, Tokenizer, most_frequent, tokenizer_of, vocabulary_of
from headway.data.tokenizers.word import Word
from headway.errors import DataError, UsageError, printable
from headway.inputs import text as text_input
from headway.rows import Rows

CHARACTERS = 20_000
"""Characters of words that are known at most."""
FORMS = 20_000
"""Word forms that a stream remembers before it begins again, so that its memory does not grow with its input."""


class SourceText(SourceCodec):
    asked = "--text '…'"

    def __init__(self, tokenizer: Tokenizer, settings: text_input.Settings, state: Mapping[str, Any] | None = None):
        if settings.reads_letters and not isinstance(tokenizer, Word):
            raise UsageError(
                "model.input reads the letters or n-grams of words (characters, character_ngrams, word_ngrams), and "
                "the elements are not words: set data.tokenizer word, or these to 0, 0 and 1"
            )
        self.tokenizer, self.settings = tokenizer, settings
        self._use(state["alphabet"] if state else [])

    @classmethod
    def made(cls, data: DataSettings, settings: Any, state: Mapping[str, Any] | None = None) -> "SourceText":
        chosen = data.tokenizer or TOKENIZERS.choose("word")
        return cls(tokenizer_of(chosen, state and state["tokenizer"]), settings, state)

    @classmethod
    def opened(cls, example: Example, data: DataSettings) -> Example:
        if isinstance(example.source, Value):
            raise DataError(example.where, f"a text is expected, and not {printable(example.source)}")
        return example

    def _use(self, alphabet: Sequence[str]) -> None:
        self.alphabet = vocabulary_of(alphabet)
        self.forms: text_input.Forms | None = None
        if isinstance(self.tokenizer, Word) and self.settings.reads_letters:
            self.forms = text_input.Forms(self.settings, self.tokenizer.number, self.alphabet)

    def fit(self, sources: Iterable[Text], together: Iterable[Text] = ()) -> None:
        """Choose vocabulary and alphabet from the training part; `together` are targets that share the vocabulary.

        Sources may be gone through twice, and need not be in memory.
        """
        self.tokenizer.fit(chain(sources, together))
        counts: Counter[str] = Counter()
        if self.settings.characters:
            for source in sources:
                for word in self.tokenizer.elements(source):
                    counts.update(word)
        self._use(most_frequent(counts, CHARACTERS, 1))

    @property
    def labelled(self) -> str | None:
        if isinstance(self.tokenizer, Word):
            return None
        return "tag gives a label to every word, and the elements of the source are not words: set data.tokenizer word"

    @property
    def sizes(self) -> text_input.TextSizes:
        return text_input.TextSizes(len(self.tokenizer), len(self.alphabet) + len(SPECIALS))

    @property
    def told(self) -> str:
        return f"vocabulary: {len(self.tokenizer):,}"

    def elements(self, source: Text) -> tuple[str, ...]:
        return self.tokenizer.shown(source)

    def encode_all(self, sources: Sequence[Text]) -> list[NDArray[np.int32]]:
        if self.forms is None:
            return self.tokenizer.encode_all(sources)
        number = self.forms.number
        return [np.array([number(word) for word in self.tokenizer.elements(source)], np.int32) for source in sources]

    def rows(self, pieces: Sequence[NDArray[np.int32]]) -> Rows:
        return Rows.of(pieces)

    def collate(self, rows: Sequence[NDArray]) -> Part:
        return text_input.collate(rows, self.forms)

    def refresh(self) -> None:
        if self.forms is not None and len(self.forms) > FORMS:
            self.forms.forget()

    def state(self) -> dict[str, Any]:
        return {"tokenizer": self.tokenizer.state(), "alphabet": list(self.alphabet)}
