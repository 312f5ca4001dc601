"""Columns in memory as Arrow lays them out, row by row as examples: what the readers of its files share.

A row is read as a line of `jsonl` is: its columns are the keys, a list of strings is the words of a source and the
labels of a target. Complaints name the row, counted from 1.
"""

import contextlib
import datetime
import decimal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any

from headway.batch import Example
from headway.data.files import check_file, examples, is_pipe, place
from headway.data.readers import Columns, Complain
from headway.data.readers.jsonl import Keys, example_of
from headway.errors import DataError, MissingPackage, UsageError, printable

ROWS = 1_024
"""Rows that become Python values together."""
ROWS_A_BYTE = 1_000
"""Rows for each byte of a file beyond which it is damaged: runs of one value can claim any number in no room."""

Opened = Callable[[], AbstractContextManager[Iterator[Any]]]
"""Opens a file and gives its record batches one after another."""


def pyarrow(module: str, format: str) -> Any:
    """A module of pyarrow. Raises MissingPackage, with the line that installs it."""
    try:
        return import_module(f"pyarrow.{module}")
    except ModuleNotFoundError:
        raise MissingPackage("pyarrow", "data", f"the format {format}") from None


def examples_of(path: Path, format: str, opened: Opened, columns: Columns, complain: Complain) -> Iterator[Example]:
    """The examples of a file of record batches."""
    if is_pipe(path):
        raise UsageError(f"the format {format} is not read front to back, as a pipe must be: name a file")
    check_file(path)
    keys = Keys(columns)

    def parse(item: tuple[int, dict[str, Any]]) -> Example:
        where = place(path, item[0])
        return example_of({name: _plain(value) for name, value in item[1].items()}, keys, where)

    return examples(path, _numbered(path, format, opened), parse, complain)


def _numbered(path: Path, format: str, opened: Opened) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every row with its number. Raises DataError for a file that is damaged, or none of this format."""
    number, most = 0, ROWS_A_BYTE * path.stat().st_size
    try:
        with opened() as batches:
            for batch in batches:
                batch.validate(full=True)  # Arrow trusts what a file says of places in it
                if number + batch.num_rows > most or (batch.num_rows and not batch.nbytes):
                    raise ValueError(f"it claims {number + batch.num_rows:,} rows and has no room for them")
                for start in range(0, batch.num_rows, ROWS):
                    for row in _rows(batch.slice(start, ROWS), path):
                        number += 1
                        yield number, row
    except DataError:
        raise
    except Exception as error:  # pyarrow's, of many kinds
        after = f" behind row {number:,}" if number else ""
        why = str(error) if isinstance(error, OSError | ValueError | RuntimeError) else repr(error)
        raise DataError(place(path), f"this is no {format} file, or damaged{after}: {why}") from None


def _rows(batch: Any, path: Path) -> list[dict[str, Any]]:
    """As Python values. Raises DataError for a column whose type Arrow alone has values of, such as spans of months."""
    try:
        return batch.to_pylist()
    except KeyError:
        for number, field in enumerate(batch.schema):
            try:
                batch.column(number).to_pylist()
            except KeyError:
                said = f"the column {printable(field.name)!r} is of type {field.type}, of which Python has no values"
                raise DataError(place(path), f"{said}: leave it out of the file, or write it as text") from None
        raise


def _plain(value: Any) -> Any:
    """A cell as JSON would hold it."""
    if isinstance(value, bytes):
        with contextlib.suppress(UnicodeDecodeError):
            return value.decode("utf-8")
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta):
        return str(value)
    return value
