"""SMILES, one a line; what stands behind the first blank or tab is the molecule's name, or its target (.smi)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from headway.batch import Example
from headway.data.files import examples, place, rows, text_of
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._columns import UNCHOSEN, Table, header
from headway.data.sources._molecules import Smiles


class Smi(Reader):
    suffixes = (".smi", ".smiles")
    nameless = "In a .smi file the target stands behind the SMILES, parted from it by a blank or a tab"

    def names(self, path: Path) -> list[str]:
        line, raw = next(rows(path))
        return header(_cells(text_of(raw, place(path, line))))

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        table = Table(path, columns, "is there a tab inside a name?")

        def parse(row: tuple[int, bytes]) -> Example | None:
            where = place(path, row[0])
            example = table.example(where, _cells(text_of(row[1], where)))
            return example and replace(example, source=Smiles(example.source))

        return examples(path, rows(path), parse, complain)


def _cells(line: str) -> list[str]:
    """The columns of a line; not every molecule has a name."""
    cells = line.split("\t") if "\t" in line else line.split(None, 1)
    return cells if len(cells) > 1 else [*cells, ""]
