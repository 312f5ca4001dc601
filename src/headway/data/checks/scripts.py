"""Words of two scripts whose letters look alike: a Cyrillic а in a Latin word, which no vocabulary knows."""

import re
from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Seen, Setup, counted

_CYRILLIC, _GREEK = "АВЕЅІЈКМНОРСТУХаеорсухѕіјһԁ", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ"
"""Letters that look like a Latin one (Unicode Technical Standard 39, confusables)."""
_WORD = re.compile("[^\\W\\d_]{2,}")
_LATIN, _OTHER = re.compile("[A-Za-zÀ-ÖØ-öø-ɏ]"), re.compile("[Ͱ-ϿЀ-ԯ]")
_ALIKE = re.compile(f"[{_CYRILLIC}{_GREEK}]")
_LATIN_ALIKE = re.compile("[ABEHIJKMNOPSTXYZaceopsxyijhdv]")


class Scripts(Check):
    kinds = ("text",)

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.mixed = Seen()

    def see(self, row: Row) -> None:
        for text in row.texts:
            if text.isascii() or not _OTHER.search(text) or not _LATIN.search(text):
                continue
            for word in _WORD.findall(text):
                if is_mixed(word):
                    self.mixed.add(row, word)

    def findings(self) -> Iterator[Finding]:
        if not self.mixed.count:
            yield self.found("ok", "no word mixes scripts that look alike")
            return
        yield self.found(
            "warning",
            f"{counted(self.mixed.count, 'word')} of Latin and Cyrillic or Greek letters that look alike",
            self.mixed,
            "write each word in one script",
        )


def is_mixed(word: str) -> bool:
    """Whether a word has letters of two scripts, and those of one of them all look like letters of the other."""
    latin, other = _LATIN.findall(word), _OTHER.findall(word)
    if not latin or not other:
        return False
    if all(map(_ALIKE.fullmatch, other)):
        return True
    return len(latin) < len(other) and all(map(_LATIN_ALIKE.fullmatch, latin))
