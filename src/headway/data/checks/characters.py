"""Characters that are seen by machines and not by people, or that say that something was lost on the way."""

import re
import unicodedata
from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Seen, Setup, Severity, counted

_SUSPECT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xa0\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff"
    "\ue000-\uf8ff\U000e0000-\U000e007f\U000f0000-\U0010fffd]"
)
_SORTS: tuple[tuple[str, str, Severity, str, str], ...] = (
    (
        "replacement",
        "\ufffd",
        "warning",
        "the replacement character U+FFFD: a program before this one could not read what stood there",
        "make the file anew from its source, in the right encoding",
    ),
    (
        "control",
        "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f",
        "warning",
        "control characters, which no text has",
        "leave them out; from 0x80 on they are often Windows-1252 read as Latin-1",
    ),
    ("BOM", "\ufeff", "warning", "a byte order mark inside a text, left where files were joined", "leave it out"),
    (
        "invisible",
        "\xad\u200b\u2060-\u2064\ufff9-\ufffb",
        "note",
        "invisible characters (zero-width spaces, soft hyphens): words with and without them are two words",
        "leave them out",
    ),
    (
        "direction",
        "\u200e\u200f\u202a-\u202e\u2066-\u2069",
        "note",
        "characters that turn the direction of writing",
        "leave them out where they say nothing",
    ),
    (
        "separator",
        "\u2028\u2029",
        "note",
        "line or paragraph separators (U+2028, U+2029) inside a text",
        "replace them by a blank",
    ),
    (
        "private",
        "\ue000-\uf8ff\U000f0000-\U0010fffd",
        "note",
        "characters of private use, which only one font or program can show",
        "",
    ),
    (
        "no-break",
        "\xa0",
        "note",
        "no-break spaces, which words that the file gives are not parted at",
        "replace them by blanks",
    ),
)
_PATTERNS = {name: re.compile(f"[{among}]") for name, among, *_ in _SORTS}


class Characters(Check):
    kinds = ("text",)

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.seen = {name: Seen() for name, *_ in _SORTS}

    def see(self, row: Row) -> None:
        for text in row.texts:
            if (text.isascii() and text.isprintable()) or not (found := _SUSPECT.findall(text)):
                continue
            for name, pattern in _PATTERNS.items():
                own = [character for character in found if pattern.match(character)]
                if own:
                    self.seen[name].add(row, _named(own[0]), len(own))

    def findings(self) -> Iterator[Finding]:
        for name, _, severity, what, advice in _SORTS:
            if self.seen[name].count:
                yield self.found(severity, f"{counted(self.seen[name].count, 'time')} {what}", self.seen[name], advice)
        if not any(seen.count for seen in self.seen.values()):
            yield self.found("ok", "no control, invisible or replacement characters")


def _named(character: str) -> str:
    """`U+200B zero width space`."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '').lower()}".rstrip()
