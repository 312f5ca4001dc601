"""Molecules as MOL blocks, each with its data items below it and $$$$ behind it (SDF); a .mol file is one block.

The molecule is the source, a data item (`> <NAME>`, the value below it) is the target.
"""

from collections.abc import Iterator
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


class Sdf(Reader):
    suffixes = (".sdf", ".mol")

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        if columns.source is not None:
            raise UsageError("the source of an SDF file is its molecule: leave out --data.source")
        items = _Items(columns)

        def parse(record: _Record) -> Example:
            where, block, found = _parted(path, record)
            targets = [found[name] for name in items.of(list(found), where) if found.get(name, "").strip()]
            return Example(from_block(block, where), targets[0] if targets else None, where, tuple(targets[1:]))

        return examples(path, _records(path), parse, complain)


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
    end = next((number for number, line in enumerate(lines, 1) if line.startswith("M  END")), None)
    if end is None:
        raise DataError(where, "the record has no MOL block: no line `M  END`")
    return where, "\n".join(lines[:end]) + "\n", _items_of(lines[end:])


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


class _Items:
    """Which data items are targets: chosen, or by the names in the first record; the same for all records."""

    def __init__(self, columns: Columns):
        self.columns = columns
        self.targets: tuple[str, ...] | None = None

    def of(self, names: list[str], where: Where) -> tuple[str, ...]:
        if self.targets is None:
            same = {folded(name): name for name in names}
            for name in self.columns.target:
                if folded(name) not in same:
                    raise DataError(
                        where, unknown("data item", name, [printable(known) for known in names[:MOST_SHOWN]])
                    )
            chosen = tuple(1 + names.index(same[folded(name)]) for name in self.columns.target)
            _, target = assign(1 + len(names), [GRAPH, *names], 0, chosen)
            self.targets = tuple(names[number - 1] for number in target)
        return self.targets
