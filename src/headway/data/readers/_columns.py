"""Which column is what: well-known names, a user's choice, and rows of cells as examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headway.batch import Example
from headway.data.files import listed, place
from headway.data.readers import Columns
from headway.data.sources._molecules import Smiles
from headway.errors import DataError, UsageError, Where, printable, unknown

FILES = ("path", "audio", "wav")
"""What a first column is called whose cells name files; beside it, what else would be a source is a target."""

_SOURCES = """text sentence review words tokens input source src document content comment message tweet utterance
    question query prompt phrase article body headline title sequence word token form smiles
    canonical_smiles isomeric_smiles spelling graphemes"""
_TARGETS = """target tgt trg output label labels tag tags class category translation translations references reference
    classes categories score rating stars sentiment polarity topic intent emotion genre upos pos_tags ner_tags
    value answer response summary pronunciation phonemes phones transcript transcription"""
_NEITHER = "id idx index uid guid uuid split fold url lang language date timestamp author user username"

ROLES: dict[str, str] = {
    name: role
    for role, names in (("source", _SOURCES), ("target", _TARGETS), ("neither", _NEITHER))
    for name in names.split()
}
"""What a column of this name holds. Of two columns of one role, the name that stands earlier here is taken."""


REGION = ("start", "end")
"""Columns that say, in seconds, which part of a file is meant."""
SMILES = ("smiles", "canonical_smiles", "isomeric_smiles")
"""What a column of molecules is called."""
MOST_SHOWN = 30
"""Names of columns or keys that a message lists."""
UNCHOSEN = Columns()
"""No column is chosen."""


def folded(name: str) -> str:
    """A column's name as it is looked up and compared."""
    return name.strip().casefold()


def role_of(name: str) -> str | None:
    """What a column of this name holds; None where the name says nothing. pandas numbers rows under no name."""
    name = folded(name)
    return "neither" if not name or name.startswith("unnamed: ") else ROLES.get(name)


def is_header(cells: Sequence[str], columns: Columns) -> bool:
    """Whether a first row names its columns: distinct names, one of them well known or chosen by the user.

    The first may have no name, as the numbers of the rows have none where pandas writes a table.
    """
    names = [folded(cell) for cell in cells]
    if len(set(names)) < len(names) or not all(names[1:]):
        return False
    # A number is a choice by position: the row `good film<TAB>2` is no header because column 2 was chosen.
    chosen = {folded(name) for name in (columns.source, *columns.target) if name and not name.isdecimal()}
    return file_column(names) is not None or any(
        role_of(name) in ("source", "target") or name in chosen for name in names
    )


def header(cells: Sequence[str]) -> list[str]:
    """The names that a first row gives to its columns; none where it names none."""
    return list(cells) if is_header(cells, UNCHOSEN) else []


def assign(
    width: int, names: Sequence[str], source: int | None, target: tuple[int, ...]
) -> tuple[int | None, tuple[int, ...]]:
    """The source and the target among columns 0 … width - 1, where what is given is kept.

    By their names first. A column that is left goes to the side that is left, where it is the only one, or where no
    name says anything: then the first is the source, and the target follows it.
    """
    roles = list(map(role_of, names)) or [None] * width
    file = file_column(names)
    if file is not None and source in (None, file):
        source, roles = file, ["target" if role == "source" else role for role in roles]
        roles = ["neither" if folded(name) in REGION else role for name, role in zip(names, roles)]
    if width == 1:
        return (source if source is not None or target else 0), target

    def named(role: str, taken: tuple[int | None, ...]) -> int | None:
        of_role = [i for i in range(width) if roles[i] == role and i not in taken]
        return min(of_role, key=lambda i: list(ROLES).index(folded(names[i])), default=None)

    if source is None:
        source = named("source", target)
    if not target and (found := named("target", (source,))) is not None:
        target = (found,)
    free = [i for i in range(width) if roles[i] is None and i not in (source, *target)]
    if source is None:
        source = free.pop(0) if free else None
    if not target and source is not None and free and (len(free) == 1 or not any(roles)):
        target = (min(free, key=lambda i: (i < source, i)),)
    return source, target


def file_column(names: Sequence[str]) -> int | None:
    """The column that names files: the first, but for those that say which part is meant."""
    first = next((i for i, name in enumerate(names) if folded(name) not in REGION), None)
    return first if first is not None and folded(names[first]) in FILES else None


def part_of_file(name: str, row: Mapping[str, object]) -> str:
    """A file's name with the part that a row's cells `start` and `end` choose, as a media fragment: `a.wav#t=1,2.5`."""
    cells = {folded(column): str(cell).strip() for column, cell in row.items() if cell is not None}
    start, end = (cells.get(column, "") for column in REGION)
    return f"{name}#t={start},{end}" if start or end else name


@dataclass(frozen=True)
class Layout:
    """What the first row of a table says about all rows.

    files, molecules    whether the source's column names files, or holds SMILES
    """

    line: int
    names: tuple[str, ...]
    width: int
    source: int
    target: tuple[int, ...]
    files: bool
    molecules: bool

    def column(self, index: int) -> str:
        """A column as a message names it."""
        return f"column {index + 1}" + (f", {printable(self.names[index])!r}" if self.names else "")


class Table:
    """Rows of cells as examples; the first row decides what the columns are."""

    def __init__(self, path: Path, columns: Columns, advice: str):
        """advice: what to look for where a row has too many cells."""
        self.path, self.columns, self.advice = path, columns, advice
        self.layout: Layout | None = None

    def example(self, where: Where, cells: list[str]) -> Example | None:
        """The example of a row; None for the header. Raises DataError."""
        if not any(cell.strip() for cell in cells):
            raise DataError(where, "the row is empty; empty rows may stand at the end of the file only")
        if self.layout is None:
            self.layout = self._lay_out(where, cells)
            if self.layout.names:
                return None
        layout = self.layout
        if len(cells) != layout.width:
            found, wanted = _count(len(cells), "cell"), _count(layout.width, "cell")
            advice = f" ({self.advice})" if len(cells) > layout.width else ""
            raise DataError(where, f"the row has {found}, and the first row (line {layout.line}) has {wanted}{advice}")
        source = cells[layout.source]
        if not source.strip():
            raise DataError(where, f"the source ({layout.column(layout.source)}) is empty")
        if layout.files:
            source = part_of_file(source.strip(), dict(zip(layout.names, cells)))
        if layout.molecules:
            source = Smiles(source)
        if not layout.target:
            return Example(source, where=where)
        known = [cells[i] for i in layout.target if cells[i].strip()]
        return Example(source, known[0] if known else "", where, tuple(known[1:]))

    def _lay_out(self, where: Where, cells: list[str]) -> Layout:
        names = tuple(cells) if is_header(cells, self.columns) else ()
        source = None if self.columns.source is None else self._find(self.columns.source, names, cells)
        target = tuple(self._find(name, names, cells) for name in self.columns.target)
        source, target = assign(len(cells), names, source, target)
        if source is None:
            raise DataError(
                place(self.path), f"no column is left for the source: {listed(cells)}; choose one: --data.source"
            )
        molecules = bool(names) and folded(names[source]) in SMILES
        return Layout(where.line, names, len(cells), source, target, source == file_column(names), molecules)

    def _find(self, choice: str, names: tuple[str, ...], cells: list[str]) -> int:
        known = [folded(name) for name in names]
        if folded(choice) in known:
            return known.index(folded(choice))
        if choice.strip().isdecimal():
            return column_number(self.path, choice, len(cells))
        if names:
            raise DataError(
                place(self.path), unknown("column", choice, [printable(name) for name in names[:MOST_SHOWN]])
            )
        problem = f"no column called {printable(choice)!r}: the first row names no columns, it holds {listed(cells)}"
        raise DataError(place(self.path), problem + "; choose columns by number, from 1")


def column_number(path: Path, choice: str, width: int) -> int:
    """The index that a number from 1 stands for. Raises DataError."""
    number = int(choice) if len(choice) < 10 else width + 1
    if not 1 <= number <= width:
        problem = (
            f"there is no column {printable(choice)}: the first row has {_count(width, 'column')}, numbered from 1"
        )
        raise DataError(place(path), problem)
    return number - 1


def refuse_columns(columns: Columns, format: str) -> None:
    """Raise a UsageError if columns were chosen for a format that has none."""
    if columns != UNCHOSEN:
        raise UsageError(f"the format {format} has no columns: leave out --data.source and --data.target")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
