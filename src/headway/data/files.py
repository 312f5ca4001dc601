"""Files as numbered lines of bytes, and lines as text: what all formats share.

Lines end at the byte \\n (or \\r\\n) and nowhere else, so that U+2028 and its like stay inside a text. One line is held
at a time. What is wrong with one line is a DataError with a line number and can be skipped; what is wrong with the file
as a whole (missing, damaged, empty) is a DataError with line 0 and ends the reading whoever listens.
"""

import gzip
import io
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from headway.batch import Example
from headway.data.readers import Complain
from headway.errors import DataError, Where, file_name, nearest, printable

LONGEST = 10_000_000
"""Bytes that a line may have, and a sentence that stands on several lines."""
MOST = 1_000_000
"""Elements that a source or a target may have: words where the format gives words, characters of a text."""

_CHUNK = 1 << 17
_COMPARED = 10_000
"""Names of a folder that a lost file's name is compared with: comparing takes a second for so many."""
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BLANKS = re.compile("[ \t\u1680\u2000-\u2006\u2008-\u200a\u205f\u3000]+")

Unit = TypeVar("Unit")


def is_stdin(path: Path) -> bool:
    return str(path) == "-"


def is_pipe(path: Path) -> bool:
    """Whether a file can be read once only: standard input, or what a shell writes as <(...)."""
    try:
        return is_stdin(path) or path.is_fifo()
    except OSError:
        return False


def place(path: Path, line: int = 0) -> Where:
    """The file, or a line of it, as a message names it."""
    return Where("standard input" if is_stdin(path) else path, line)


def words(text: str) -> tuple[str, ...]:
    """The words of a text, parted by blanks: space, tab, U+3000 and other spaces, but not the no-break ones."""
    return tuple(word for word in _BLANKS.split(text) if word)


# -------------------------------------------------------------------------------------------------------------- bytes


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file or, for `-`, of standard input; unzipped where they begin like gzip. Raises DataError."""
    try:
        with _raw(path) as (file, head):
            if head == _GZIP:
                # The wider buffer halves the time: GzipFile's own is 8 KB, refilled by Python code.
                with io.BufferedReader(gzip.GzipFile(fileobj=file), _CHUNK) as unzipped:
                    yield unzipped
            elif head and path.suffix.lower() == ".gz":
                problem = "the name ends in .gz, and this is no gzip file; rename it, or zip it with gzip"
                raise DataError(place(path), problem)
            else:
                yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        problem = f"the gzip file is damaged or cut short ({error}); `gzip -t` checks it. Copy or load it again"
        raise DataError(place(path), problem) from None
    except OSError as error:
        raise DataError(place(path), _unreadable(path, error)) from None


@contextmanager
def _raw(path: Path) -> Iterator[tuple[BinaryIO, bytes]]:
    """The bytes as they are stored, and the first two of them."""
    if is_stdin(path):
        # A stand-in for standard input may hold text only, or bytes that cannot be peeked at.
        stream = getattr(sys.stdin, "buffer", None)
        if stream is None:
            stream = io.BytesIO(sys.stdin.read().encode("utf-8", "surrogatepass") if sys.stdin else b"")
        file = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)
        try:
            yield file, file.peek(2)[:2]
        finally:
            if file is not stream:
                file.detach()  # else its end would close standard input
        return
    try:
        file = path.open("rb")
    except ValueError as error:  # a name that no file can have
        raise DataError(place(path), f"there is no such file: {error}") from None
    with file:
        yield file, file.peek(2)[:2]


def check_file(path: Path) -> None:
    """Raise a DataError if this is no file that can be opened; for complaints before the work begins."""
    if not is_pipe(path):
        with opened(path):
            pass


def _unreadable(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return _missing(path)
    if os.path.isdir(path):
        return f"this is a folder, and a file is expected; it holds {listed(names_in(path))}"
    if isinstance(error, PermissionError):
        return "there is no permission to read this file (`ls -l` shows who may, `chmod +r` changes it)"
    return f"this file cannot be read: {error.strerror or error}"


def _missing(path: Path) -> str:
    folder = path.parent
    if not os.path.isdir(folder):
        return f"there is no such file, and no folder {file_name(folder)}"
    names = names_in(folder)
    meant = nearest(path.name, names[:_COMPARED])
    return "there is no such file" + (
        f"; the folder {file_name(folder)} holds {listed(names)}"
        if meant is None
        else f". Did you mean {file_name(meant)!r}?"
    )


def names_in(folder: Path) -> list[str]:
    """The names in a folder in order, hidden ones left out; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError:
        return []


def listed(names: Iterable[str], most: int = 10) -> str:
    """Names from outside for a message, a few of them: `a.tsv, b.tsv and 3 more`."""
    names = [printable(name) for name in names]
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more or "nothing"


# -------------------------------------------------------------------------------------------------------------- lines


def numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every line with its number from 1, without its end. A line that is too long comes cut just above LONGEST."""
    with opened(path) as file:
        number = 0
        while raw := file.readline(LONGEST + 2):
            number += 1
            if len(raw) > LONGEST and not raw.endswith(b"\n"):
                while (rest := file.readline(_CHUNK)) and not rest.endswith(b"\n"):
                    pass
            if number == 1:
                raw = raw.removeprefix(_BOM)
            yield number, raw.removesuffix(b"\n").removesuffix(b"\r")
    if not number:
        raise DataError(place(path), "the file is empty")


def rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """Numbered lines without the blank ones at the end of the file."""
    return without_blank_end(numbered(path), lambda row: not row[1].strip())


def without_blank_end(units: Iterable[Unit], blank: Callable[[Unit], bool]) -> Iterator[Unit]:
    """The units without blank ones at the end; of a run of blank ones before that the first, so that little is held."""
    waiting: list[Unit] = []
    for unit in units:
        if blank(unit):
            waiting = waiting or [unit]
        else:
            yield from waiting
            waiting = []
            yield unit


def text_of(raw: bytes, where: Where) -> str:
    """A line as text. Raises DataError where it is too long, not UTF-8 or holds a NUL byte."""
    if len(raw) > LONGEST:
        raise DataError(where, f"the line is longer than {LONGEST:,} bytes; does the file have line ends?")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        code = "utf-16" if where.line == 1 and raw.startswith(_UTF16) else "latin1"
        problem = (
            f"byte {error.start + 1} of the line (0x{raw[error.start]:02x}) is not UTF-8; "
            f"convert the file with `iconv -f {code} -t utf-8`"
        )
        raise DataError(where, problem) from None
    if "\0" in text:
        problem = f"byte {raw.index(0) + 1} of the line is NUL, which no text holds; is the file binary, or UTF-16?"
        raise DataError(where, problem + " `iconv -f utf-16 -t utf-8` converts the latter")
    return text


# ----------------------------------------------------------------------------------------------------------- examples


def examples(
    path: Path, units: Iterable[Unit], parse: Callable[[Unit], Example | None], complain: Complain
) -> Iterator[Example]:
    """The examples of those units (lines, rows, sentences) that can be parsed, and complaints about the others.

    `parse` raises DataError for what is wrong and returns None for what is no example (a header, a comment). A
    DataError about the file as a whole is raised, never handed on: there is nothing to go on with.
    """
    silent = True
    for unit in units:
        try:
            example = parse(unit)
            if example is not None:
                _check_size(example)
        except DataError as error:
            if not error.where.line:
                raise
            silent = False
            complain(error)
            continue
        if example is not None:
            silent = False
            yield example
    if silent:
        raise DataError(place(path), "the file holds no examples")


def _check_size(example: Example) -> None:
    for what, value in ("source", example.source), *(("target", target) for target in example.references):
        if isinstance(value, str | tuple) and len(value) > MOST:
            unit = "characters" if isinstance(value, str) else "words"
            raise DataError(
                example.where, f"the {what} has {len(value):,} {unit}, and at most {MOST:,} are read; split it"
            )
