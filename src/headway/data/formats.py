"""Which reader for a file: by the name of a format, by the end of the file's name, or by its first lines."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from headway.data.files import is_pipe, opened, words
from headway.data.readers import READERS, Reader

_HEAD = 1 << 16
_ALIKE = 0.9
_TAGGED = re.compile(r"(?:[^/]+|/+)/[^/]+")
"""word/tag, and ///w for a slash itself; an address like http://a/b is neither."""


def reader_for(path: Path, format: str | None = None) -> tuple[str, Reader]:
    """The name of a format and its reader. Raises UsageError for an unknown name, DataError for a file that is lost."""
    name = format or by_suffix(path) or _by_content(path)
    return name, READERS.part(name)()


def suffix_of(path: Path) -> str:
    """The end of the name that says what is inside: `.tsv` of `train.tsv.gz`, in small letters."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def by_suffix(path: Path) -> str | None:
    """The format that the end of the name stands for, if it stands for one."""
    suffix = suffix_of(path)
    return next((name for name in READERS.names() if suffix in READERS.part(name).suffixes), None) if suffix else None


def _by_content(path: Path) -> str:
    if is_pipe(path):  # what is looked at is gone
        return "lines"
    with opened(path) as file:
        head = file.read(_HEAD)
    lines = head.decode("utf-8-sig", errors="replace").split("\n")
    if len(head) == _HEAD and len(lines) > 1:
        lines.pop()  # it was cut
    return guess([line.removesuffix("\r") for line in lines])


def guess(lines: Sequence[str]) -> str:
    """The format that these first lines of a file look like.

    jsonl     the first line is a JSON object
    slash     nine tenths of the tokens are word/tag
    conllu    blocks of lines with ten columns parted by tabs, the first a number
    conll     several blocks of lines, all with equally many columns, at least two, and no blanks inside a column
    tsv       every line has equally many tabs, at least one
    lines     everything else
    """
    full = [line for line in lines if line.strip()]
    tokens = [token for line in full for token in words(line)]
    if not tokens:
        return "lines"
    if _is_object(full[0]):
        return "jsonl"
    if sum(bool(_TAGGED.fullmatch(token)) for token in tokens) >= _ALIKE * len(tokens):
        return "slash"
    grid = [line for line in full if not line.startswith(("#", "-DOCSTART-"))]
    if grid and all(re.match(r"\d+(?:[-.]\d+)?\t(?:[^\t]+\t){8}[^\t]+$", line) for line in grid):
        return "conllu"
    if _is_grid(lines):
        return "conll"
    tabs = {line.count("\t") for line in full}
    return "tsv" if len(tabs) == 1 and 0 not in tabs else "lines"


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_grid(lines: Sequence[str]) -> bool:
    blocks = [block for block in re.split(r"\n(?:[ \t]*\n)+", "\n".join(lines).strip("\n")) if block.strip()]
    grid = [line for block in blocks for line in block.split("\n") if not line.startswith(("# ", "-DOCSTART-"))]
    if len(blocks) < 2 or len(grid) <= len(blocks):
        return False
    tabs = all("\t" in line for line in grid)
    columns = [line.split("\t") if tabs else list(words(line)) for line in grid]
    # Sentences stand in the cells of a table, words in those of a grid.
    short = sum(all(len(words(cell)) == 1 for cell in cells) for cells in columns)
    return len({len(cells) for cells in columns}) == 1 and len(columns[0]) >= 2 and short >= _ALIKE * len(columns)
