"""YAML 1.2 as assignments of settings, each with file and line: `no` is a word, 1e-4 a number, a key twice an error."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from headway.errors import UsageError, Where, printable
from headway.settings import KIND, Assignment

LIMIT = 1_000_000
"""Bytes of a file of settings; what is larger is none."""
DEPTH = 20


def read_yaml(path: Path) -> list[Assignment]:
    """What a file of settings assigns. Raises UsageError naming file and line."""
    try:
        if path.stat().st_size > LIMIT:
            raise UsageError(f"{path}: larger than {LIMIT:,} bytes, and no file of settings is")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 at byte {error.start}") from None
    try:
        depth = 0
        for event in YAML().parse(StringIO(text)):  # piece by piece, for a whole badly meant file takes minutes to load
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > DEPTH:
                raise UsageError(f"{path}: nested deeper than {DEPTH} levels")
            if isinstance(event, AliasEvent):
                where = Where(path, event.start_mark.line + 1)
                raise UsageError(f"{where}: references (*name) are not used in settings; write the value out")
        tree = YAML(typ="rt").load(StringIO(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise UsageError(f"{Where(path, line)}: {printable(error.problem or error.context, 200)}") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {printable(error, 200)}") from None
    if tree is None:
        return []
    if not isinstance(tree, CommentedMap):
        raise UsageError(f"{path}: the top must be a mapping such as `model:`, and not {type(tree).__name__}")
    return list(_assignments(tree, "", path))


def _assignments(node: Mapping[Any, Any], path: str, file: Path) -> list[Assignment]:
    found = []
    for key, value in node.items():
        line = node.lc.data[key][0] + 1 if isinstance(node, CommentedMap) and key in (node.lc.data or {}) else 0
        origin = str(Where(file, line))
        where = path.removesuffix(".") if key == KIND else f"{path}{key}"
        if isinstance(value, Mapping):
            found += _assignments(value, where + ".", file)
        else:
            plain = list(value) if isinstance(value, list) else value
            found.append(Assignment(where, plain, origin))
    return found
