"""Molecules as MOL blocks, each with its data items below it and $$$$ behind it (SDF); a .mol file is one block.

The molecule is the source, a data item (`> <NAME>`, the value below it) is the target.
"""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from headway.batch import Example
from headway.data.files import LONGEST, examples, numbered, place, text_of
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._columns import MOST_SHOWN, UNCHOSEN, assign, folded
from headway.data.sources._graphs import GRAPH
from headway.data.sources._molecules import from_block
from headway.errors import DataError, UsageError, Where, printable, unknown

_Record = tuple[int, list[bytes]]
"""The line on which a record begins, and its lines."""
LOOKED_AT = 20
"""Records whose data items may be targets; not every record has them all."""


class Sdf(Reader):
    suffixes = (".sdf", ".mol")
    choice = "data items"
    options = "--data.target NAME"
    nameless = "No record has a data item (`> <NAME>`, its value below it), and one of them is the target"

    def names(self, path: Path) -> list[str]:
        return _named(list(islice(_records(path), LOOKED_AT)))

    def told(self, path: Path, columns: Columns) -> str:
        targets = _targets(path, self.names(path), columns)
        return f"data item {', '.join(map(printable, targets))}" if targets else ""

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        if columns.source is not None:
            raise UsageError("the source of an SDF file is its molecule: leave out --data.source")
        records = _records(path)
        first = list(islice(records, LOOKED_AT))
        targets = _targets(path, _named(first), columns)

        def parse(record: _Record) -> Example:
            where, block, found = _parted(path, record)
            values = [found[name] for name in targets if found.get(name)]
            return Example(from_block(block, where), values[0] if values else None, where, tuple(values[1:]))

        return examples(path, chain(first, records), parse, complain)


def molecules(path: Path) -> Iterator[tuple[Where, str, dict[str, str]]]:
    """(where it begins, its MOL block, its data items by name) of each record. Raises DataError."""
    for record in _records(path):
        yield _parted(path, record)


def _records(path: Path) -> Iterator[_Record]:
    start, lines, size = 1, list[bytes](), 0
    for number, line in numbered(path):
        if line.startswith(b"$$$$"):
            yield start, lines
            start, lines, size = number + 1, [], 0
        elif size <= LONGEST:  # what is longer is complained about, and not held
            lines.append(line)
            size += len(line)
    if any(line.strip() for line in lines):
        yield start, lines


def _parted(path: Path, record: _Record) -> tuple[Where, str, dict[str, str]]:
    """A record as `molecules` gives it."""
    start, raw = record
    where = place(path, start)
    if sum(map(len, raw)) > LONGEST:
        raise DataError(where, f"the record is longer than {LONGEST:,} bytes; does the file have $$$$ lines?")
    lines = [text_of(line, place(path, start + number)) for number, line in enumerate(raw)]
    end = _end(lines)
    if not end:
        raise DataError(where, "the record has no MOL block: no line `M  END`")
    return where, "\n".join(lines[:end]) + "\n", _items_of(lines[end:])


def _end(lines: list[str]) -> int:
    """The lines of the MOL block; 0 where it has no end."""
    return next((number for number, line in enumerate(lines, 1) if line.startswith("M  END")), 0)


def _items_of(lines: list[str]) -> dict[str, str]:
    """The data items by name; the value ends at an empty line."""
    found: dict[str, str] = {}
    name = None
    for line in lines:
        if name is None and line.startswith(">") and "<" in line:
            name = line.partition("<")[2].partition(">")[0].strip()
            found[name] = ""
        elif name is not None and line.strip():
            found[name] = f"{found[name]} {line.strip()}".strip()
        else:
            name = None
    return found


def _named(records: list[_Record]) -> list[str]:
    """The names of the data items of these records, in order."""
    texts = ([line.decode(errors="replace") for line in raw] for _, raw in records)
    return list(dict.fromkeys(name for lines in texts for name in _items_of(lines[_end(lines) :])))


def _targets(path: Path, names: list[str], columns: Columns) -> tuple[str, ...]:
    """Which data items are targets: chosen, or by their names. Raises DataError."""
    same = {folded(name): name for name in names}
    for name in columns.target:
        if folded(name) not in same:
            known = [printable(known) for known in names[:MOST_SHOWN]]
            raise DataError(place(path), unknown("data item", name, known))
    chosen = tuple(1 + names.index(same[folded(name)]) for name in columns.target)
    _, target = assign(1 + len(names), [GRAPH, *names], 0, chosen)
    return tuple(names[number - 1] for number in target)
