"""One JSON document: a list of objects, or one object. Their keys are read as those of `jsonl`, graphs among them.

A file of this name that holds one object a line is read as `jsonl`, which needs no more memory than a line.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headway.batch import Example
from headway.data.files import examples, is_pipe, numbered, opened, place
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._columns import UNCHOSEN
from headway.data.readers.jsonl import HOOKS, Jsonl, Keys, example_of
from headway.errors import DataError

LARGEST = 400_000_000
"""Bytes that a document may have, for it lies in main memory as a whole."""
_BLANKS = " \t\r\n"


class Json(Reader):
    suffixes = (".json",)

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        if not is_pipe(path) and _is_an_object_a_line(path):
            return Jsonl().read(path, columns, complain)
        keys = Keys(columns)

        def parse(item: tuple[int, Any]) -> Example:
            line, found = item
            where = place(path, line)
            if not isinstance(found, dict):
                raise DataError(where, "an object is expected, and the list holds something else here")
            return example_of(found, keys, where)

        return examples(path, _items(path), parse, complain)


def _is_an_object_a_line(path: Path) -> bool:
    first = next((raw for _, raw in numbered(path) if raw.strip()), b"")
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _items(path: Path) -> Iterator[tuple[int, Any]]:
    """Every object of the document, with the line on which it begins. Raises DataError."""
    text = _text(path)
    at, line = _next(text, 0), 1 + text[: _next(text, 0)].count("\n")
    several = text[at : at + 1] == "["
    at += several
    decoder = json.JSONDecoder(**HOOKS)
    while True:
        start = _next(text, at)
        line += text.count("\n", at, start)
        if several and text[start : start + 1] in ("]", ""):
            return
        try:
            found, at = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise DataError(
                place(path, error.lineno), f"this is no JSON: {error.msg}, at column {error.colno}"
            ) from None
        except RecursionError:
            raise DataError(place(path, line), "the JSON is nested too deep") from None
        except ValueError as error:
            raise DataError(place(path, line), str(error)) from None
        yield line, found
        line += text.count("\n", start, at)
        behind = _next(text, at)
        line += text.count("\n", at, behind)
        at = behind + (several and text[behind : behind + 1] == ",")
        if not several and behind < len(text):
            raise DataError(place(path, line), "something stands behind the end of the object")
        if not several:
            return
        if at == behind and text[at : at + 1] != "]":
            raise DataError(place(path, line), "a comma or the end of the list, ], is expected here")


def _text(path: Path) -> str:
    with opened(path) as file:
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise DataError(
            place(path),
            f"a JSON document is read as a whole, and at most {LARGEST:,} bytes of it: write an object a line",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(place(path), f"byte {error.start + 1} is not UTF-8") from None


def _next(text: str, at: int) -> int:
    """Where the next thing begins that is no blank."""
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at
