"""Plain text: every line is a source, and no target is known."""

from collections.abc import Iterator
from pathlib import Path

from headway.batch import Example
from headway.data.files import examples, place, rows, text_of
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._columns import UNCHOSEN
from headway.errors import DataError


class Lines(Reader):
    suffixes = ()  # a .txt may hold other things, so `formats` looks inside

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        """One example a line. `columns` is not used: what was chosen for a run's table does not stop a plain text."""

        def parse(row: tuple[int, bytes]) -> Example:
            where = place(path, row[0])
            text = text_of(row[1], where)
            if not text.strip():
                raise DataError(where, "the line is empty; empty lines may stand at the end of the file only")
            return Example(text, where=where)

        return examples(path, rows(path), parse, complain)
