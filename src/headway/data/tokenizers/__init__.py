"""Text as elements, and elements as numbers.  One file a way to cut.

A tokenizer is fitted on the training part only and saved with the model as one JSON object. The first four numbers of
every vocabulary are PAD, UNKNOWN, BEGIN and END.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.batch import END, SPECIALS, UNKNOWN
from headway.settings import Branch, Room

Text = str | tuple[str, ...]
"""A text, or its words where the file gave words."""


class Tokenizer:
    """Built from its settings and, once fitted, its vocabulary: element -> number."""

    vocabulary: Mapping[str, int]

    def __init__(self, settings: Any, state: Mapping[str, Any] | None = None):
        """`state` is what `state()` gave; without it the tokenizer must be fitted before it is used."""
        raise NotImplementedError

    def fit(self, texts: Iterable[Text]) -> None:
        """Choose the vocabulary from the training part."""
        raise NotImplementedError

    def elements(self, text: Text) -> Sequence[str]:
        """The pieces of a text, before the vocabulary is asked."""
        raise NotImplementedError

    def encode(self, text: Text) -> NDArray[np.int32]:
        """The numbers of the pieces; UNKNOWN for what the vocabulary lacks."""
        vocabulary = self.vocabulary
        return np.array([vocabulary.get(piece, UNKNOWN) for piece in self.elements(text)], np.int32)

    def encode_all(self, texts: Sequence[Text]) -> list[NDArray[np.int32]]:
        """`encode` of many texts."""
        return [self.encode(text) for text in texts]

    def shown(self, text: Text) -> tuple[str, ...]:
        """The elements of a text, as a person reads them."""
        return tuple(self.elements(text))

    def pieces(self, ids: Iterable[int]) -> tuple[str, ...]:
        """The elements with these numbers, as a person reads them."""
        names = self.names()
        return tuple(names[i] for i in ids)

    def decode(self, ids: Iterable[int]) -> str:
        """The text that these numbers stand for."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """What `fit` chose, as JSON."""
        return {"vocabulary": list(self.names())[len(SPECIALS) :]}

    def names(self) -> list[str]:
        """Every element by its number."""
        if getattr(self, "_named", None) is not self.vocabulary:  # fitted since they were written down
            self._named = self.vocabulary
            self._names = [*SPECIALS, *sorted(self.vocabulary, key=self.vocabulary.__getitem__)]
        return self._names

    def __len__(self) -> int:
        return len(SPECIALS) + len(self.vocabulary)


def vocabulary_of(elements: Sequence[str]) -> dict[str, int]:
    """Numbers for elements in this order, behind the four special ones, which no text can spell."""
    return {name: number for number, name in enumerate(elements, start=len(SPECIALS))}


def most_frequent(counts: Counter[str], size: int, least: int) -> list[str]:
    """At most `size` elements that occur at least `least` times, the frequent ones first, ties in alphabetic order."""
    kept = [element for element, count in counts.items() if count >= least and element not in SPECIALS]
    return sorted(kept, key=lambda element: (-counts[element], element))[: max(0, size - END - 1)]


TOKENIZERS = Room(__name__, Tokenizer, "tokenizer")


def tokenizer_of(settings: Branch, state: Mapping[str, Any] | None = None) -> Tokenizer:
    """A tokenizer by its settings, fitted where a state is given."""
    return TOKENIZERS.build(settings, state)
