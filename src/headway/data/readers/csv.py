"""Cells parted by commas, in quotes where a cell holds a comma, a quote (written twice) or a line end (RFC 4180).

Semicolons part the cells where the first line is a header by them and not by commas, as some spreadsheets write it.
"""

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from headway.batch import Example
from headway.data.files import LONGEST, examples, numbered, place, text_of, without_blank_end
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._columns import UNCHOSEN, Table, header, is_header
from headway.errors import DataError

_Row = tuple[int, list[str] | DataError]
"""The line on which a row begins, and its cells or what is wrong with it."""

_PROBLEMS = {
    "unexpected end of data": "a quote is opened in this row and not closed before the end of the file",
    "expected after": "a cell goes on after its closing quote; a quote inside a cell is written twice",
    "field larger": f"a cell is longer than {LONGEST:,} characters; is a quote not closed?",
    "new-line character": "a carriage return stands inside a cell without quotes",
}


class Csv(Reader):
    suffixes = (".csv",)

    def names(self, path: Path) -> list[str]:
        _, cells = next(_rows(path, UNCHOSEN))
        return [] if isinstance(cells, DataError) else header(cells)

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        table = Table(path, columns, "a comma inside a cell needs quotes around the cell")

        def parse(row: _Row) -> Example | None:
            line, cells = row
            if isinstance(cells, DataError):
                raise cells
            return table.example(place(path, line), cells)

        return examples(path, without_blank_end(_rows(path, columns), _is_blank), parse, complain)


class _Lines:
    """The lines as the csv module takes them. A generator would be over after the first line that is no text."""

    def __init__(self, path: Path):
        self.path, self.line, self.raw = path, 0, numbered(path)

    def first(self) -> str:
        """The first line, which is read again after this."""
        first = next(self.raw)
        self.raw = chain([first], self.raw)
        return first[1].decode(errors="replace")

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        self.line, raw = next(self.raw)
        return text_of(raw, place(self.path, self.line)) + "\n"


def _rows(path: Path, columns: Columns) -> Iterator[_Row]:
    csv.field_size_limit(max(LONGEST, csv.field_size_limit()))  # of the whole process; its default is 131,072
    lines = _Lines(path)
    reader = csv.reader(lines, delimiter=_delimiter(lines.first(), columns), strict=True)
    while True:
        begin = lines.line + 1
        try:
            yield begin, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = next((text for sign, text in _PROBLEMS.items() if sign in str(error)), f"this is no CSV: {error}")
            yield begin, DataError(place(path, begin), problem)
        except DataError as error:
            if not error.where.line:
                raise
            yield begin, error


def _delimiter(first: str, columns: Columns) -> str:
    def names_columns(delimiter: str) -> bool:
        return is_header([cell.strip().strip('"') for cell in first.split(delimiter)], columns)

    return ";" if names_columns(";") and not names_columns(",") else ","


def _is_blank(row: _Row) -> bool:
    return isinstance(row[1], list) and not any(cell.strip() for cell in row[1])
