"""One JSON object a line. Its keys are the columns; strings, numbers and lists of strings are their values.

A list of strings is the words of a source, and the labels of a target. Under `references`, and under `target` or
`translation` beside a text, a list holds several right targets instead. An object with `nodes` and `edges` is a graph,
what stands under `smiles` a molecule.
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from headway.batch import Example, Value
from headway.data.files import examples, listed, place, rows, text_of
from headway.data.readers import Columns, Complain, Reader, refuse
from headway.data.readers._columns import MOST_SHOWN, ROLES, SMILES, UNCHOSEN, assign, file_column, folded, part_of_file
from headway.data.sources._graphs import GRAPH, graph_of, holds_graph
from headway.data.sources._molecules import Smiles
from headway.errors import DataError, Where, printable, unknown

_REFERENCES = ("references", "reference")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_TRANSLATIONS = (*_REFERENCES, "target", "translation", "translations")


class Jsonl(Reader):
    suffixes = (".jsonl", ".ndjson")
    choice = "keys"

    def names(self, path: Path) -> list[str]:
        line, raw = next(rows(path))
        return list(object_of(text_of(raw, place(path, line)), place(path, line)))

    def read(self, path: Path, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        keys = Keys(columns)

        def parse(row: tuple[int, bytes]) -> Example:
            where = place(path, row[0])
            return example_of(object_of(text_of(row[1], where), where), keys, where)

        return examples(path, rows(path), parse, complain)


class Keys:
    """Which keys hold the source and the target: chosen, or by the names on the first line; the same for all lines."""

    def __init__(self, columns: Columns):
        self.columns = columns
        self.source: str | None = None
        self.target: tuple[str, ...] = ()
        self.line = 0

    def of(self, names: list[str], where: Where) -> tuple[str, list[str]]:
        """The key of the source and those of the targets on a line. Raises DataError where one is missing."""
        self._settle(names, where)
        assert self.source is not None
        source = _key(self.source, names, where)
        if not self.target:
            late = next((name for name in names if ROLES.get(folded(name)) == "target" and name != self.source), None)
            if late is not None and self.line != where.line:
                raise DataError(where, f"the key {printable(late)!r} stands here, and line {self.line} has no target")
        target = [_key(name, names, where) for name in self.target[:1]]
        return source, target + [name for name in self.target[1:] if name in names]

    def _settle(self, names: list[str], where: Where) -> None:
        if self.source is None:
            if not names:
                raise DataError(where, "the object is empty; a key holds the source, and one the target")
            chosen = [_key(name, names, where) for name in (self.columns.source, *self.columns.target) if name]
            source = names.index(chosen[0]) if self.columns.source else 0 if names[0] == GRAPH else None
            target = tuple(names.index(name) for name in chosen[self.columns.source is not None :])
            told = [name if name != "text" else "target" for name in names] if names[0] == GRAPH else names
            source, target = assign(len(names), told, source, target)
            if source is None:
                raise DataError(where, f"no key holds a source; there are: {listed(names)}. Choose it: --data.source")
            self.source, self.target, self.line = names[source], tuple(names[i] for i in target), where.line
            if not self.columns.target and target and folded(self.target[0]) not in _REFERENCES:
                self.target += tuple(name for name in names if folded(name) in _REFERENCES and name != self.source)


def _key(name: str, names: list[str], where: Where) -> str:
    if name in names:
        return name
    if folded(name) in (same := {folded(known): known for known in names}):
        return same[folded(name)]
    raise DataError(where, unknown("key", name, [printable(known) for known in names[:MOST_SHOWN]]))


def example_of(found: dict[str, Any], keys: Keys, where: Where) -> Example:
    """The example that an object holds. Raises DataError."""
    if holds_graph(found):
        graph, found = graph_of(found, where)
        found = {GRAPH: graph, **found}
    source_key, target_keys = keys.of(list(found), where)
    source = _source(found[source_key], source_key, where)
    names = list(found)
    if isinstance(source, str) and names.index(source_key) == file_column(names):
        source = part_of_file(source, found)
    elif isinstance(source, str) and folded(source_key) in SMILES:
        source = Smiles(source)
    targets: list[Any] = []
    for key in target_keys:
        targets += [item for item in _targets(found[key], key, source, where) if item not in targets]
    return Example(source, targets[0] if targets else None, where, tuple(targets[1:]))


# ------------------------------------------------------------------------------------------------------------- values


def _source(value: Any, key: str, where: Where) -> Any:
    if isinstance(value, Value):
        return value
    if isinstance(value, str) and value.strip():
        return _text(value, key, where)
    if isinstance(value, list) and value and all(isinstance(word, str) and word.strip() for word in value):
        return tuple(_text(word, key, where) for word in value)
    if value in ("", []) or isinstance(value, str):
        raise DataError(where, f"the source ({printable(key)!r}) is empty")
    if isinstance(value, list):
        raise DataError(where, f"the source ({printable(key)!r}) is a list with something else than words in it")
    raise DataError(
        where, f"the source ({printable(key)!r}) is {_kind(value)}, and a string or a list of words is expected"
    )


def _targets(value: Any, key: str, source: Any, where: Where) -> list[Any]:
    """The right targets that a key holds; none where it is null."""
    if value is None:
        return []
    name = folded(key)
    several = name in _REFERENCES or (name in _TRANSLATIONS and isinstance(source, str))
    if isinstance(value, list) and several:
        if not value:
            raise DataError(where, f"the list {printable(key)!r} is empty")
        if name in _REFERENCES or all(isinstance(item, str) for item in value):
            return [_target(item, key, where) for item in value]
    return [_target(value, key, where)]


def _target(value: Any, key: str, where: Where) -> Any:
    if isinstance(value, str):
        return _text(value, key, where)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if not math.isfinite(value):
            raise DataError(where, f"the number under {printable(key)!r} is too large")
        return value
    if isinstance(value, list):
        # Whole numbers in a list are labels by number, as many corpora of names are given out.
        if all(isinstance(item, str | int) and not isinstance(item, bool) for item in value):
            return tuple(_text(str(item), key, where) for item in value)
        raise DataError(
            where, f"the list under {printable(key)!r} holds something else than labels: strings are expected"
        )
    raise DataError(
        where, f"the target ({printable(key)!r}) is {_kind(value)}; a string, a number or a list is expected"
    )


def _text(value: str, key: str, where: Where) -> str:
    """The string, if it can be written as UTF-8: escapes in JSON can hold what no text holds."""
    if _NO_TEXT.search(value):
        raise DataError(where, f"the string under {printable(key)!r} holds \\u0000 or half of a surrogate pair")
    return value


def _kind(value: Any) -> str:
    kinds = {
        bytes: "bytes",
        dict: "an object",
        list: "a list",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), "null")


# ------------------------------------------------------------------------------------------------------------- syntax


def object_of(line: str, where: Where) -> dict[str, Any]:
    """The object that a line holds. Raises DataError."""
    if not line.strip():
        raise DataError(where, "the line is empty; empty lines may stand at the end of the file only")
    try:
        found = json.loads(line, **HOOKS)
    except json.JSONDecodeError as error:
        raise DataError(where, f"this is no JSON: {error.msg}, at column {error.colno}{_advice(line)}") from None
    except RecursionError:
        raise DataError(where, "the JSON is nested too deep") from None
    except ValueError as error:
        raise DataError(where, str(error)) from None
    if not isinstance(found, dict):
        raise DataError(where, f"an object is expected on every line, and this is {_kind(found)}{_advice(line)}")
    return found


def _advice(line: str) -> str:
    whole = line.lstrip().startswith("[") or line.strip() == "{"
    return "; every line is one object (`jq -c '.[]'` makes lines of a list, `jq -c .` of objects)" if whole else ""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {printable(name)!r} stands twice in one object")
        found[name] = value
    return found


def _whole(digits: str) -> int:
    if len(digits) > 300:  # beyond the range of a float, and at 4,300 beyond what Python reads
        raise ValueError(f"a whole number of {len(digits):,} digits is too long")
    return int(digits)


def _not_finite(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


HOOKS: dict[str, Any] = {"object_pairs_hook": _distinct, "parse_int": _whole, "parse_constant": _not_finite}
"""How JSON is read: strictly."""
