"""Columns, one word a line, a blank line between sentences: words in the first column, labels in the last.

The columns are parted by tabs where the first word line has one, and by blanks elsewhere. `-DOCSTART-` lines, and lines
like `# id 7` or `# text = …` before the first word of a sentence, are no words.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from headway.batch import Example
from headway.data.files import examples, place, text_of, words
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._columns import UNCHOSEN, column_number
from headway.data.readers._sentences import Sentence, check_size, sentences
from headway.errors import DataError, UsageError, Where, printable

_COMMENT = re.compile(r"#[ \t]*(id\b|[\w.:-]+[ \t]*=)")


class Conll(Reader):
    suffixes = (".conll", ".iob", ".iob2", ".bio")

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        for choice in (columns.source, *columns.target):
            if choice is not None and not choice.strip().isdecimal():
                raise UsageError(
                    f"the columns of the format conll have no names: a number from 1, not {printable(choice)!r}"
                )
        grid = _Grid(path, columns)
        return examples(path, sentences(path), grid.example, complain)


class _Layout(NamedTuple):
    """What the first word line says about all of them."""

    line: int
    width: int
    tabs: bool
    source: int
    target: tuple[int, ...]


class _Grid:
    """Sentences as examples."""

    def __init__(self, path: Path, columns: Columns):
        self.path, self.columns = path, columns
        self.layout: _Layout | None = None

    def example(self, sentence: Sentence) -> Example | None:
        """The example of a sentence; None where it has comments only. Raises DataError."""
        check_size(self.path, sentence)
        found: list[list[str]] = []
        begin = 0
        for number, raw in sentence:
            where = place(self.path, number)
            text = text_of(raw, where)
            if text.startswith("-DOCSTART-") or (not found and _COMMENT.match(text)):
                continue
            begin = begin or number
            self.layout = self.layout or self._lay_out(text, where)
            found.append(_cells(text, self.layout, where))
        if not found or self.layout is None:
            return None
        sides = list(zip(*found))
        known = tuple(sides[i] for i in self.layout.target)
        return Example(sides[self.layout.source], known[0] if known else None, place(self.path, begin), known[1:])

    def _lay_out(self, text: str, where: Where) -> _Layout:
        tabs = "\t" in text.strip()
        width = len(_split(text, tabs))
        choices = (self.columns.source or "1", *self.columns.target)
        source, *target = (column_number(self.path, choice.strip(), width) for choice in choices)
        if not target and width > 1 and source != width - 1:
            target = [width - 1]
        return _Layout(where.line, width, tabs, source, tuple(target))


def _cells(text: str, layout: _Layout, where: Where) -> list[str]:
    cells = _split(text, layout.tabs)
    if len(cells) != layout.width:
        wanted = (
            f"{layout.width} column{'' if layout.width == 1 else 's'} parted by {'tabs' if layout.tabs else 'blanks'}"
        )
        raise DataError(where, f"{wanted} expected, as on line {layout.line}, and this line has {len(cells)}")
    for column, cell in enumerate(cells, 1):
        if not cell.strip(" "):
            raise DataError(where, f"column {column} is empty")
    return cells


def _split(text: str, tabs: bool) -> list[str]:
    return text.split("\t") if tabs else list(words(text))
