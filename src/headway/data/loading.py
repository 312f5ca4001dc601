"""A data set's parts as examples of one question; what cannot be used is an error, or skipped, counted and listed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from headway.batch import Example, Value
from headway.data.codecs import Labels, TargetCodec
from headway.data.files import is_pipe, listed, place
from headway.data.index import Index, is_index
from headway.data.parts import Held, Parts, Source, parts_of
from headway.data.readers import READERS, Columns, Reader
from headway.data.recognition import NoTargets, Recognized, as_target, recognize
from headway.data.settings import DataSettings
from headway.data.sources import SOURCES, kind_of
from headway.errors import DataError, UsageError, Where, file_name, printable

LOOKED_AT = 2_000
"""Rows from which the question is recognized."""
LOOKED_AT_FOR_KIND = 20
"""Rows from which it is recognized what goes in."""
UNSEEN = 0.01
"""The share of labels in valid or test that training may never have seen before that is an error and no curiosity."""


SKIPPING = "--skip-bad (data.on_bad skip) leaves out such lines, counts and lists them"
"""What can be done about a line beside mending it; the command line prints it below the complaint."""


@dataclass
class Complaints:
    """Takes complaints about lines: raises the first, or skips the line and remembers it."""

    skip: bool
    taken: list[DataError] = field(default_factory=list)
    places: set[Where] = field(default_factory=set)

    def __call__(self, error: DataError) -> None:
        if not self.skip and error.where.line:
            error.add_note(SKIPPING)
        if not self.skip or not error.where.line:
            raise error
        if error.where not in self.places:  # a file that is split is read once for every part
            self.places.add(error.where)
            self.taken.append(error)


@dataclass
class DataSet:
    """A user's data: where they are, what they ask, and how they are read; `kind` is what goes in.

    index    of data that were prepared: the training part as numbers
    """

    parts: Parts
    columns: Columns
    recognized: Recognized
    complaints: Complaints
    kind: str
    settings: DataSettings
    index: Index | None = None

    def __contains__(self, part: str) -> bool:
        return part in self.parts

    def examples(self, part: str) -> list[Example]:
        """The examples of a part, as the question wants them. Raises DataError, and UsageError for a missing part."""
        source = self.parts.part(part)
        found = list(self.read(source))
        if not found:
            raise DataError(source_place(source), f"no line of it can be used for {self.recognized.task}")
        return found if part == "train" or source.format == "parallel" else together(found, self.recognized.task)

    def read(self, source: Source) -> Iterator[Example]:
        """The examples of a source, one after another."""
        recognized, codec = self.recognized, SOURCES.part(self.kind)
        for example in source.read(self.columns, self.complaints):
            try:
                yield as_target(codec.opened(example, self.settings), recognized.task, recognized.several)
            except DataError as error:
                self.complaints(error)


def source_place(source: Source) -> Where:
    """The file of a source, as a message names it."""
    return place(source.files[0])


def open_data(data: Path | None, settings: DataSettings, part: str = "train", kind: str | None = None) -> DataSet:
    """Find the parts and recognize the question from the first rows of one. Raises UsageError and DataError.

    kind    what goes in, of the room of sources; recognized from the first rows where none is given
    """
    if data is not None and is_index(data):
        return _prepared(Index(data), settings, kind)
    files = {name: [Path(file) for file in getattr(settings, name)] for name in ("train", "valid", "test")}
    parts = parts_of(data, **files, source=settings.source, target=settings.target, format=settings.format)
    source, complaints = parts.part(part), Complaints(settings.on_bad == "skip")
    columns = Columns() if source.format == "parallel" else Columns(settings.source, settings.target)
    if any(map(is_pipe, source.files)):  # a pipe is empty once it has been read
        source = Held(source, tuple(source.read(columns, complaints)))
        parts = replace(parts, sources={**parts.sources, part: source})
    silent = Complaints(skip=True)  # the same lines are read again, and complained about then
    heard = silent if complaints.skip else complaints
    rows = iter(source.read(columns, heard))
    if kind is None:
        first = list(islice(rows, LOOKED_AT_FOR_KIND))
        kind, rows = kind_of(first), chain(first, rows)
    try:
        recognized = _recognized(_opened(rows, kind, settings, heard), settings.task, source.format == "parallel")
    except NoTargets as error:
        raise UsageError(_chosen_by_name(error, source)) from None
    if (reader := _named_reader(source)) and (told := reader.told(source.files[0], columns)):
        recognized = replace(recognized, reason=f"{recognized.reason}; {told}")
    return DataSet(parts, columns, recognized, complaints, kind, settings)


def _chosen_by_name(error: NoTargets, source: Source) -> str:
    """The complaint that no row has a target, with the names that there are to choose from."""
    reader = _named_reader(source)
    if reader is None:
        return str(error)
    names = reader.names(source.files[0])
    if not names:
        return f"{error.found}{reader.nameless}" if reader.nameless else str(error)
    return f"{error.found}The {reader.choice} are {listed(names)}; choose by name: {reader.options}"


def _named_reader(source: Source) -> Reader | None:
    """The reader of a source that can be read again; None for parallel files and pipes."""
    again = source.format in READERS.names() and not any(map(is_pipe, source.files))
    return READERS.part(source.format)() if again else None


def _prepared(index: Index, settings: DataSettings, kind: str | None) -> DataSet:
    """Data that were prepared, as they were read then. Raises UsageError for another kind of input."""
    if kind not in (None, "text"):
        raise UsageError(f"{file_name(index.folder)} was prepared from texts, and model.input is {kind}")
    return DataSet(index.parts, Columns(), index.recognized, Complaints(False), "text", settings, index)


def _opened(rows: Iterator[Example], kind: str, settings: DataSettings, complain: Complaints) -> Iterator[Example]:
    codec = SOURCES.part(kind)
    for row in rows:
        try:
            yield codec.opened(row, settings)
        except DataError as error:
            complain(error)


def _recognized(rows: Iterator[Example], task: str | None, parallel: bool) -> Recognized:
    """The question of the first rows. Lists of one label are looked through for one of several, however far it is."""
    first = list(islice(rows, LOOKED_AT))
    found = recognize(first, task, parallel)
    if found.task == "classify" and not found.several and any(isinstance(row.target, tuple) for row in first):
        later = next((row for row in rows if isinstance(row.target, tuple) and len(row.target) != 1), None)
        return found if later is None else recognize([*first, later], task, parallel)
    return found


def together(examples: Sequence[Example], task: str) -> list[Example]:
    """Rows of the same source as one example with several references, where the target is a sequence."""
    if task != "transduce":
        return list(examples)
    found: dict[str, Example] = {}
    for example in examples:
        key = _key(example.source)
        if key in found:
            first, *others = dict.fromkeys((*found[key].references, *example.references))
            found[key] = replace(found[key], target=first, others=tuple(others))
        else:
            found[key] = example
    return list(found.values())


def _key(source: Any) -> str:
    """Equal for equal sources."""
    if isinstance(source, Value):
        return source.content()
    return source if isinstance(source, str) else "\0".join(source)


def check_labels(examples: Sequence[Example], codec: TargetCodec, part: str) -> list[str]:
    """What is to be said of labels in valid or test that training never saw. Raises DataError where they are many.

    A few are counted as wrong, since no answer can be right; many are a sign of the wrong file or of a slip of the pen.
    """
    if not isinstance(codec, Labels):
        return []
    unseen = [(example, label) for example in examples for label in codec.unknown(example.target)]
    total = sum(1 if isinstance(example.target, str) else len(example.target) for example in examples)
    if not unseen:
        return []
    example, label = unseen[0]
    problem = f"the label {printable(label)!r} does not occur in the training part, which has {_some(codec.labels)}"
    if len(unseen) > max(1, UNSEEN * total):
        raise DataError(example.where, f"{problem}; {len(unseen):,} of {total:,} labels of the {part} part are so")
    more = f", and {len(unseen) - 1:,} more" if len(unseen) > 1 else ""
    return [f"{example.where}: {problem}{more}: no answer can be right there"]


def _some(labels: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(map(printable, labels[:most]))
    return shown if len(labels) <= most else f"{shown} and {len(labels) - most} more"
