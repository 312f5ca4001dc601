"""Files as examples.  One file a format.

A reader yields `Example`s in the order of the file, each with its file and line. What is wrong with a line is handed to
`complain` as a DataError that names file and line; where that raises, reading ends, where it returns, the line is
skipped. Readers hold one example at a time, so a file may be larger than memory. Every format may be gzipped.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from headway.batch import Example
from headway.errors import DataError
from headway.settings import Room

Complain = Callable[[DataError], None]


def refuse(error: DataError) -> None:
    """The strict way to take a complaint: raise it."""
    raise error


@dataclass(frozen=True)
class Columns:
    """Which column or key is what: a name, or a number from 1. Several targets of one source are several references."""

    source: str | None = None
    target: tuple[str, ...] = ()


class Reader:
    suffixes: ClassVar[tuple[str, ...]] = ()
    "Endings of file names that mean this format, `.gz` left out."
    choice: ClassVar[str] = "columns"
    "What `names` are names of."
    options: ClassVar[str] = "--data.source NAME --data.target NAME"
    "By which of them are chosen."
    nameless: ClassVar[str] = ""
    "What to say where there are none to choose from; advice for any format where it is empty."

    def read(self, path: Path, columns: Columns = Columns(), complain: Complain = refuse) -> Iterator[Example]:
        """The examples of one file. The path `-` is standard input."""
        raise NotImplementedError

    def names(self, path: Path) -> list[str]:
        """What the columns, keys or data items are called among which a person may choose; none without names.

        May raise DataError for a file that cannot be read.
        """
        return []

    def told(self, path: Path, columns: Columns) -> str:
        """Which of them is the target, in a few words; empty where a person sees it."""
        return ""


READERS = Room(__name__, Reader, "format")
