"""The files of a distilled data set: the training part as it was written, the others as they were."""

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path

from headway import storage
from headway.batch import Example
from headway.data.loading import DataSet
from headway.data.parts import Share, Source
from headway.data.settings import DataSettings

Row = tuple[str | tuple[str, ...], str]
"""A source and its target."""


def rows_of(examples: Sequence[Example]) -> list[Row]:
    """A row for every right target of every source."""
    return [(example.source, target) for example in examples for target in example.references]


def one_line(text: str) -> str:
    """A text that fits into a line and into a cell of any format."""
    return " ".join(text.replace("\0", " ").split()) if re.search("[\0\t\n\r]", text) else text


def write_part(out: Path, part: str, like: Source, rows: Sequence[Row], settings: DataSettings) -> list[str]:
    """Write rows in the format of a source, to be read with the same settings; the names of the files.

    The columns or keys that were chosen by name have that name, those that were chosen by number that place.
    """
    if like.format == "parallel":
        names = [part + _end(file) for file in like.files[:2]]
        for side, name in enumerate(names):
            storage.write(out / name, _lines(_joined(row[side]) for row in rows))
        return names
    chosen = [settings.source, *settings.target]
    if like.format in ("tsv", "csv"):
        content, name = _table(rows, chosen, "\t" if like.format == "tsv" else ","), f"{part}.{like.format}"
    else:
        content, name = _objects(rows, chosen), f"{part}.jsonl"
    storage.write(out / name, content)
    return [name]


def keep_part(out: Path, part: str, data: DataSet, settings: DataSettings) -> list[str]:
    """A part as it is: its files copied, or its share of a file that was split; the names of the files."""
    source = data.parts.part(part)
    if isinstance(source, Share):
        return write_part(out, part, source, rows_of(data.examples(part)), settings)
    for file in source.files:
        storage.write(out / file.name, file.read_bytes())
    return [file.name for file in source.files]


def _end(file: Path) -> str:
    """`.de` of train.de.gz."""
    return file.name[file.name.find(".") :].removesuffix(".gz") if "." in file.name else f".{file.name}"


def _lines(lines) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def _joined(side: str | tuple[str, ...]) -> str:
    return side if isinstance(side, str) else " ".join(side)


def _table(rows: Sequence[Row], chosen: Sequence[str | None], delimiter: str) -> bytes:
    """A header and rows; cells of columns that nothing is known of are empty."""
    source, *targets = chosen
    first = targets[0] if targets else None
    places = [_number(source), _number(first)]
    width = max(2, *(place + 1 for place in places if place is not None), 0)
    free = [place for place in range(width) if place not in places]
    at = [place if place is not None else free.pop(0) for place in places]
    header = [f"column {place + 1}" for place in range(width)]
    header[at[0]] = "source" if source is None or places[0] is not None else source
    header[at[1]] = "target" if first is None or places[1] is not None else first
    header += [name for name in targets[1:] if name is not None and _number(name) is None]
    found = [header]
    for row in rows:
        cells = [""] * len(header)
        cells[at[0]], cells[at[1]] = _joined(row[0]), row[1]
        found.append(cells)
    if delimiter == "\t":
        return _lines(map("\t".join, found))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(found)
    return text.getvalue().encode("utf-8")


def _number(choice: str | None) -> int | None:
    """The place from 0 that a column chosen by number has."""
    return int(choice) - 1 if choice is not None and choice.strip().isdecimal() else None


def _objects(rows: Sequence[Row], chosen: Sequence[str | None]) -> bytes:
    """An object a line; keys of further references are there, and hold none."""
    source, *targets = [name or "source" for name in chosen]
    target, *more = targets or ["target"]
    return _lines(
        json.dumps({source: row[0], target: row[1], **dict.fromkeys(more)}, ensure_ascii=False) for row in rows
    )
