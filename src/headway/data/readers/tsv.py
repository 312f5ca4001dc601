"""Cells parted by tabs, one example a line. There are no quotes: a tab or a line end cannot stand inside a cell."""

from collections.abc import Iterator
from pathlib import Path

from headway.batch import Example
from headway.data.files import examples, place, rows, text_of
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._columns import UNCHOSEN, Table, header


class Tsv(Reader):
    suffixes = (".tsv", ".tab")

    def names(self, path: Path) -> list[str]:
        line, raw = next(rows(path))
        return header(text_of(raw, place(path, line)).split("\t"))

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        table = Table(path, columns, "is there a tab inside a cell?")

        def parse(row: tuple[int, bytes]) -> Example | None:
            where = place(path, row[0])
            return table.example(where, text_of(row[1], where).split("\t"))

        return examples(path, rows(path), parse, complain)
