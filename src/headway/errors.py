"""Everything that can go wrong for a person, as one tree.

    HeadwayError            exit 1   something failed, and it is not a mistake in what was asked
    ├── RunError            exit 1   a run folder is missing, damaged or cannot be written
    ├── MissingPackage      exit 1   an optional package is needed; the message holds the line that installs it
    ├── LackOfMemory        exit 1   not even one example fits into memory; the message holds numbers and settings
    ├── LostProcess         exit 4   another of the processes that train together is gone
    ├── UsageError          exit 2   a command, an option or a setting is wrong
    └── DataError           exit 3   a file's content is wrong; the message begins with file:line

A message says what was found, where, what is allowed and what to do. The command line prints it without a traceback.
"""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class HeadwayError(Exception):
    exit_code = 1


class RunError(HeadwayError):
    """A run folder is missing, damaged or cannot be written."""


class LackOfMemory(HeadwayError):
    """Not even one example fits into memory."""


class LostProcess(HeadwayError):
    """Another of the processes that train together is gone; what this one did is saved up to the last checkpoint."""

    exit_code = 4


class MissingPackage(HeadwayError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, purpose: str):
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed.\n"
            f"  pip install 'headway[{extra}]'    (or: pip install {package})"
        )
        self.package, self.extra = package, extra


class UsageError(HeadwayError):
    """A command, an option or a setting is wrong."""

    exit_code = 2


class Where(NamedTuple):
    """A place in a file; line 0 stands for the file as a whole."""

    file: Path | str
    line: int = 0

    def __str__(self) -> str:
        return f"{file_name(self.file)}:{self.line}" if self.line else file_name(self.file)


class DataError(HeadwayError):
    """What a file holds is wrong. The message begins with the file and the line."""

    exit_code = 3

    def __init__(self, where: Where, problem: str):
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem


_LACKS = re.compile(r"out of memory|not enough memory|can't allocate memory|cannot allocate memory|ALLOC_FAILED", re.I)
"""What torch and its libraries say where memory is out; there is no common class for that."""


def lacks_memory(error: BaseException) -> bool:
    """Whether Python, numpy, torch or the GPU found no more memory."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, (RuntimeError, OSError)) and _LACKS.search(str(error)) is not None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like this one, or None if none is near."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The sentence for a name that does not exist: what there is, and what may have been meant.

    >>> unknown("position", "rotery", ["none", "rotary"])
    "no position called 'rotery'; there are: none, rotary. Did you mean 'rotary'?"
    """
    known = sorted(known)
    meant = nearest(name, known)
    return f"no {what} called {printable(name)!r}; there are: {', '.join(known) or 'none'}" + (
        "." if meant is None else f". Did you mean {meant!r}?"
    )


def printable(text: object, limit: int = 80) -> str:
    """Text from outside, safe to print: control and direction characters escaped, long text cut."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def file_name(path: object) -> str:
    """The name of a file or folder, safe to print: whole, since a part of a name is of no use to find a file by."""
    return printable(path, limit=4096)
