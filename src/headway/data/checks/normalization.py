"""Whether one character is written in two ways: é as one sign (NFC) and as e with an accent (NFD), １ beside 1."""

import re
import unicodedata
from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Seen, Setup

_MARK = re.compile("[\u0300-\u036f\u3099\u309a\u1100-\u11ff]")
"""Marks that have composed forms with the letter before them, and parts of Korean syllables."""
_WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_NARROW = re.compile("[0-9A-Za-z]")


class Normalization(Check):
    kinds = ("text",)

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.parted, self.wide = Seen(), Seen()
        self.composed = self.narrow = False

    def see(self, row: Row) -> None:
        for text in row.texts:
            if text.isascii():
                self.narrow = True
                continue
            if _MARK.search(text) and not unicodedata.is_normalized("NFC", text):
                self.parted.add(row, "NFD")
            elif not self.composed:
                self.composed = not unicodedata.is_normalized("NFD", text)
            if found := _WIDE.search(text):
                self.wide.add(row, found[0])
            self.narrow = self.narrow or _NARROW.search(text) is not None

    def findings(self) -> Iterator[Finding]:
        if self.parted.count:
            yield self.found(
                "warning" if self.composed else "note",
                f"{self.parted.count:,} texts hold letters and accents as two characters (NFD)"
                + (", and others as one (NFC): a word written in both ways is two words" if self.composed else ""),
                self.parted,
                "bring all of them into NFC: unicodedata.normalize('NFC', text)",
            )
        else:
            yield self.found("ok", "letters and accents are written in one way (NFC)")
        if self.wide.count and self.narrow:
            yield self.found(
                "note",
                f"{self.wide.count:,} texts hold full-width digits or letters (１, Ａ), others plain ones",
                self.wide,
                "unicodedata.normalize('NFKC', text) makes them one, if they mean the same here",
            )
