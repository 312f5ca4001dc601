"""Layers of assignments become one tree of settings, every value with its origin, every mistake with its remedy."""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from headway.errors import UsageError, nearest, printable
from headway.settings.branch import Branch, Room, branch_of, is_optional, room_of
from headway.settings.reading import Assignment, assignments, leaves


@dataclass
class _Twig:
    """A path and what was given for it: (layer, value) from the first to the last, and where the last came from."""

    given: list[tuple[int, Any]] = field(default_factory=list)
    origin: str = ""
    children: dict[str, "_Twig"] = field(default_factory=dict)

    @property
    def value(self) -> Any:
        return self.given[-1][1] if self.given else None

    def forget(self, since: int) -> None:
        """Drop what layers before this one gave here and below."""
        self.given = [(layer, value) for layer, value in self.given if layer >= since]
        for child in self.children.values():
            child.forget(since)
        self.children = {name: child for name, child in self.children.items() if child.given or child.children}


Tree = TypeVar("Tree", bound=Branch)


def resolve(root: type[Tree], layers: Sequence[Sequence[Assignment]]) -> tuple[Tree, dict[str, str]]:
    """Lay assignments over the defaults and validate the whole; later layers win.

    Where a later layer chooses another file of a room, what earlier layers set below the old choice is dropped.
    Returns the tree and the origin of every value that is not a default. Raises UsageError with every problem found.
    """
    top = _Twig()
    for number, layer in enumerate(layers):
        for assignment in layer:
            _assign(top, assignment.path.split("."), assignment.value, assignment.origin, number)
    problems: list[str] = []
    tree = _build(root, top, "", problems, root)
    if problems or tree is None:
        raise UsageError("\n".join(problems))
    origins: dict[str, str] = {}
    _note_origins(top, "", origins)
    there = dict(leaves(tree))
    return tree, {path: origin for path, origin in origins.items() if path in there}


def load(root: type[Tree], plain: Mapping[str, Any], origin: str) -> Tree:
    """The tree that `dump` wrote. Raises UsageError."""
    return resolve(root, [assignments(plain, origin)])[0]


def _assign(twig: _Twig, path: list[str], value: Any, origin: str, layer: int) -> None:
    for name in path:
        twig = twig.children.setdefault(name, _Twig())
    twig.given.append((layer, value))
    twig.origin = origin
    if isinstance(value, Branch):
        for below, own in leaves(value):
            _assign(twig, below.split("."), own, origin, layer)


def _note_origins(twig: _Twig, path: str, origins: dict[str, str]) -> None:
    if twig.given:
        origins[path] = twig.origin
    for name, child in twig.children.items():
        _note_origins(child, f"{path}.{name}" if path else name, origins)


def _build(cls: type[Branch], twig: _Twig, path: str, problems: list[str], root: type[Branch]) -> Any:
    """Validate one branch and what hangs below it; problems are collected, and None is returned where there are any."""
    values: dict[str, Any] = {}
    before = len(problems)
    for name, child in twig.children.items():
        where = f"{path}.{name}" if path else name
        info = cls.model_fields.get(name)
        if info is None:
            problems.append(_no_such_setting(where, _first_origin(child), cls, root))
            continue
        room, branch = room_of(info), branch_of(info)
        if room is not None:
            values[name] = _build_choice(room, info, child, where, problems, root)
        elif branch is not None and isinstance(child.value, Branch | None):
            values[name] = _build(branch, child, where, problems, root)
        elif child.children:
            below = next(iter(child.children))
            problems.append(f"{where} holds one value, so there is no {where}.{below} ({_first_origin(child)})")
        else:
            values[name] = None if is_optional(info) and str(child.value).lower() in ("none", "null") else child.value
    if len(problems) > before:
        return None
    try:
        return cls(**values)
    except ValidationError as error:
        for item in error.errors():
            name = str(item["loc"][0]) if item["loc"] else ""
            where = ".".join(filter(None, [path, name]))
            origin = twig.children[name].origin if name in twig.children else "default"
            problems.append(f"{where} {_complaint(item)} ({origin})")
        return None


def _complaint(item: Any) -> str:
    """What is wrong with a value, in words."""
    kind, bounds, got = item["type"], item.get("ctx", {}), printable(repr(item.get("input")))
    wanted = {
        "int_parsing": "must be a whole number",
        "int_type": "must be a whole number",
        "int_from_float": "must be a whole number",
        "float_parsing": "must be a number",
        "float_type": "must be a number",
        "finite_number": "must be a finite number",
        "bool_parsing": "must be true or false",
        "bool_type": "must be true or false",
        "string_type": "must be a word",
        "less_than": f"must be below {bounds.get('lt')}",
        "greater_than": f"must be above {bounds.get('gt')}",
        "greater_than_equal": f"must be at least {bounds.get('ge')}",
        "literal_error": f"must be {bounds.get('expected')}",
    }.get(kind)
    if wanted is None:
        return f"cannot be {got}: {item['msg'].removeprefix('Value error, ')}"
    meant = nearest(str(item.get("input")), re.findall(r"'([^']*)'", str(bounds.get("expected", ""))))
    return f"{wanted}, and is {got}" + (f". Did you mean {meant!r}?" if meant else "")


def _build_choice(room: Room, info: FieldInfo, twig: _Twig, path: str, problems: list[str], root: type[Branch]) -> Any:
    usual = info.get_default(call_default_factory=True, validated_data={})
    default = chosen = None if usual is None else room.name_of(usual)
    for layer, value in list(twig.given):
        name = _name_of(value, room, info, default)
        if name != chosen:
            twig.forget(layer)  # what was set below another file of the room
        chosen = name
    if chosen is None:
        if twig.children:
            below = next(iter(twig.children))
            problems.append(f"{path} is none, so there is no {path}.{below} ({_first_origin(twig.children[below])})")
        return None
    try:
        settings = room.settings(chosen)
    except UsageError as error:
        problems.append(f"{path}: {error} (from {twig.origin})")
        return None
    return _build(settings, twig, path, problems, root)


def _name_of(value: Any, room: Room, info: FieldInfo, default: str | None) -> str | None:
    """The name of the file that a value chooses."""
    if isinstance(value, Branch):
        return room.name_of(value)
    if value is None and not is_optional(info):
        return default
    name = str(value).removeprefix(f"{room.package}.")
    is_none = value is None or (name.lower() in ("none", "null") and "none" not in room.names())
    return None if is_none and is_optional(info) else name


def _first_origin(twig: _Twig) -> str:
    return twig.origin if twig.given else next((_first_origin(child) for child in twig.children.values()), "")


def _no_such_setting(path: str, origin: str, cls: type[Branch], root: type[Branch]) -> str:
    """A setting that does not exist here: where else it does, or the nearest name."""
    parent, _, name = path.rpartition(".")
    here = f"{path} ({origin}) is no setting"
    owners = [file for file in _neighbours(cls) if name in file.model_fields]
    if owners:
        chosen, owner = cls.__module__.rpartition(".")[2], owners[0].__module__.rpartition(".")[2]
        return f"{here}: {name} belongs to {owner}, and {parent} is {chosen}"
    known = {p: None for p, _ in leaves(root())}
    elsewhere = [p for p in known if p.rpartition(".")[2] == name]
    if elsewhere:
        return f"{here}. Did you mean {' or '.join(elsewhere)}?"
    meant = nearest(name, cls.model_fields)
    full = f"{parent}.{meant}".lstrip(".") if meant else nearest(path, known)
    return f"{here}; {parent or 'the top'} has: {', '.join(cls.model_fields) or 'no settings'}." + (
        f" Did you mean {full}?" if full else ""
    )


def _neighbours(cls: type[Branch]) -> Iterator[type[Branch]]:
    """The settings of the other files in the room of these settings."""
    package = cls.__module__.rpartition(".")[0]
    if cls.__name__ != "Settings" or not package.startswith("headway."):
        return
    for _, name, _ in pkgutil.iter_modules(importlib.import_module(package).__path__):
        module = importlib.import_module(f"{package}.{name}")
        if isinstance(getattr(module, "Settings", None), type) and module.Settings is not cls:
            yield module.Settings
