"""What a text is counted in, how long it is in that, and what language it looks to be in."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Literal

Unit = Literal["elements", "words", "characters"]

LOOKED_AT = 500
"""Texts that decide for all."""
LONG_WORD, LONG_WORD_OF_HAN = 12, 4
"""Characters between blanks, on average, above which blanks do not part words; less where a character is a syllable."""
SCRIPTS = (("ja", "\u3041", "\u30ff"), ("ko", "\uac00", "\ud7a3"), ("zh", "\u4e00", "\u9fff"))
"""Languages by letters that only they have; kana come before the Chinese characters that stand beside them."""


def unit_of(values: Sequence[Any]) -> Unit:
    """Elements where the file gave a list of them; words where blanks part most texts; characters otherwise."""
    looked = [value for value in _spread(values, LOOKED_AT) if value is not None]
    if not all(isinstance(value, str) for value in looked):
        return "elements"
    parted = [len(text.split()) for text in looked]
    letters = sum(len(text) - text.count(" ") for text in looked)
    several = 2 * sum(words > 1 for words in parted) > len(parted)
    longest = LONG_WORD_OF_HAN if language_of(looked) in ("zh", "ja") else LONG_WORD
    return "words" if several and letters <= longest * sum(parted) else "characters"


def symbols(value: Any, unit: Unit) -> Sequence[Any]:
    """A value as what it is counted in."""
    if isinstance(value, str):
        return value.split() if unit == "words" else value
    return value if isinstance(value, (tuple, list)) else [value]


def length(value: Any, unit: Unit) -> int:
    """How long a value is; something without parts is 1 long."""
    if isinstance(value, str):
        return len(symbols(value, unit))
    return len(value) if hasattr(value, "__len__") else 1


def shown(value: Any) -> str:
    """A source or target on one line."""
    if isinstance(value, str):
        return value
    return " ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def language_of(values: Sequence[Any]) -> str:
    """`zh`, `ja` or `ko` where a tenth of the letters are theirs, so that a browser knows their shapes; else ""."""
    letters = [c for value in _spread(values, LOOKED_AT) for c in shown(value)[:400] if c.isalpha()]
    for name, first, last in SCRIPTS:
        if letters and 10 * sum(first <= c <= last for c in letters) > len(letters):
            return name
    return ""


def _spread(values: Sequence[Any], most: int) -> Iterable[Any]:
    """At most so many values, evenly."""
    return islice(values, 0, None, max(1, -(-len(values) // most)))
