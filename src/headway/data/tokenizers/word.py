"""Words: as the file gives them, or cut from a text at blanks and around punctuation.

Han characters, which no blank parts, are elements of their own; vowel signs and accents stay with their letter. With
`split: blanks` only blanks part elements: the way to read symbols such as phones.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headway.batch import UNKNOWN
from headway.data.tokenizers import Text, Tokenizer, most_frequent, vocabulary_of
from headway.settings import Branch, Count

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_CLOSING = set(".,;:!?)]}%’”…。，；：！？）》、")
_OPENING = set("([{‘“（《¿¡")
_ASCII_ELEMENT = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]|_")
"""An element of a text that has ASCII characters only: the same as below, in half the time."""


@cache
def _element() -> re.Pattern[str]:
    """An element of any text. Made when the first is read: there are two thousand marks, and a server has to start."""
    marks = _marks()
    letters = rf"[^\W{HAN}_]+(?:[{marks}]+[^\W{HAN}_]*)*"
    return re.compile(rf"[{HAN}][{marks}]*|{letters}(?:['’]{letters})*|(?:[^\w\s]|_)[{marks}]*")


def _marks() -> str:
    """Vowel signs, accents and joiners, as a regular expression's set: what belongs to the character before it."""
    planes = range(0x300, 0x1F000)  # the marks above these are selectors of variants
    marks = [chr(code) for code in planes if unicodedata.category(chr(code)).startswith("M")]
    return "".join(marks) + "\u200c\u200d\U000e0100-\U000e01ef"


class Settings(Branch):
    size: Count = 50_000
    "Words that are known by name at most, the frequent ones first."
    least: Count = 1
    "Times a word must occur in training to be known by name."
    lowercase: bool = False
    "Know words by their lower-case form; what their letters say keeps the case."
    split: Literal["words", "blanks"] = "words"
    "Cut a text at blanks and around punctuation and Han characters, or at blanks only."


class Word(Tokenizer):
    def __init__(self, settings: Settings, state: Mapping[str, Any] | None = None):
        self.settings = settings
        self.vocabulary = vocabulary_of(state["vocabulary"] if state else [])

    def fit(self, texts: Iterable[Text]) -> None:
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(map(self.known_as, self.elements(text)))
        self.vocabulary = vocabulary_of(most_frequent(counts, self.settings.size, self.settings.least))

    def elements(self, text: Text) -> Sequence[str]:
        if not isinstance(text, str):
            return text
        if self.settings.split == "blanks":
            return text.split()
        return (_ASCII_ELEMENT if text.isascii() else _element()).findall(text)

    def known_as(self, element: str) -> str:
        """The form under which the vocabulary knows an element."""
        return element.lower() if self.settings.lowercase else element

    def number(self, element: str) -> int:
        """The number of one element; UNKNOWN where the vocabulary lacks it."""
        return self.vocabulary.get(self.known_as(element), UNKNOWN)

    def encode(self, text: Text) -> NDArray[np.int32]:
        return np.array([self.number(element) for element in self.elements(text)], np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        words = self.pieces(ids)
        if self.settings.split == "blanks":
            return " ".join(words)
        written, before = [], ""
        for word in words:
            glued = not before or word in _CLOSING or before in _OPENING or (_is_han(word) and _is_han(before))
            written.append(word if glued else f" {word}")
            before = word
        return "".join(written)


def _is_han(word: str) -> bool:
    return bool(re.match(rf"[{HAN}\u3000-\u303f\uff00-\uffef]", word))
