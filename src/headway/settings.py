"""Settings: typed branches that form one tree, addressed by path, each value with its origin.

A class that can be configured stands below a `Branch` that declares what it reads:

    class Settings(Branch):
        base: float = 10_000.0
        "Wavelengths run from 2π to 2π × base."

A room is a package of interchangeable parts, one file each. The file's presence is its registration, its name is the
value of the option, its `Settings` are the settings below that option. A dotted name reaches a file outside headway.

    model.encoder.position = rotary           which file of the room `headway.positions`
    model.encoder.position.base = 5000        a setting of that file

This module knows the mechanism only; it imports neither torch nor any room.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType, NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from headway.errors import UsageError, nearest, printable, unknown

KIND = "kind"
"""The key that names the chosen file where a part is written as a mapping: `{kind: rotary, base: 5000}`."""


Own = TypeVar("Own", bound="Branch")


class Branch(BaseModel):
    """A node of the tree of settings: typed, frozen, unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True)

    def replace(self: Own, **changes: Any) -> Own:  # not typing.Self, which beartype refuses on a single method
        """A copy with some fields changed; the result is validated."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields} | changes)


class Room:
    """A package whose files are interchangeable parts.

    Used as the annotation of a field it makes that field a choice among the files:

        position: Annotated[Branch, POSITIONS] = POSITIONS.default("rotary")
    """

    def __init__(self, package: str, contract: type, what: str):
        self.package, self.contract, self.what = package, contract, what

    def names(self) -> list[str]:
        """The files of the room, by name; nothing is imported but the room itself."""
        found = pkgutil.iter_modules(importlib.import_module(self.package).__path__)
        return sorted(name for _, name, _ in found if not name.startswith("_"))

    def module(self, name: str) -> ModuleType:
        """The file of that name; a dotted name is a module outside the package. Raises UsageError."""
        if "." not in name and name not in self.names():
            raise UsageError(unknown(self.what, name, self.names()))
        try:
            return importlib.import_module(name if "." in name else f"{self.package}.{name}")
        except ModuleNotFoundError as error:
            if error.name and name.startswith(error.name):
                raise UsageError(
                    f"no {self.what} called {printable(name)!r}: there is no module of that name"
                ) from None
            raise

    def settings(self, name: str) -> type[Branch]:
        """The settings of the file of that name."""
        return _settings_of(self.module(name))

    def part(self, name: str) -> type:
        """The class that the file of that name offers: its one subclass of the room's contract."""
        module = self.module(name)
        parts = [
            part
            for part in vars(module).values()
            if isinstance(part, type) and issubclass(part, self.contract) and part.__module__ == module.__name__
        ]
        if len(parts) != 1:
            raise UsageError(
                f"{module.__name__} must define exactly one {self.contract.__name__}, and has {len(parts)}"
            )
        return parts[0]

    def name_of(self, settings: Branch) -> str:
        """The name of the file whose settings these are."""
        return type(settings).__module__.removeprefix(self.package + ".")

    def build(self, settings: Branch, *args: Any, **kwargs: Any) -> Any:
        """The part that these settings choose, built."""
        return self.part(self.name_of(settings))(settings, *args, **kwargs)

    def choose(self, value: Any) -> Branch:
        """Settings from a name, a mapping with `kind`, or settings. Raises UsageError or ValidationError."""
        if isinstance(value, Branch):
            return value
        if isinstance(value, str):
            return self.settings(value)()
        if isinstance(value, Mapping) and isinstance(value.get(KIND), str):
            return self.settings(value[KIND])(**{key: item for key, item in value.items() if key != KIND})
        raise UsageError(f"a {self.what} is a name, or a mapping with `{KIND}`, and not {printable(repr(value))}")

    def default(self, name: str) -> Any:
        """The default of a field that chooses among this room."""
        return Field(default_factory=lambda: self.settings(name)())

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        optional = NoneType in get_args(source)

        def validate(value: Any) -> Branch | None:
            if value is None and optional:
                return None
            try:
                return self.choose(value)
            except UsageError as error:
                raise ValueError(str(error)) from None

        return core_schema.no_info_plain_validator_function(validate)


@cache
def _settings_of(module: ModuleType) -> type[Branch]:
    declared = getattr(module, "Settings", None)
    if declared is not None:
        return declared
    return create_model("Settings", __base__=Branch, __module__=module.__name__, __doc__="No settings of its own.")


def room_of(info: FieldInfo) -> Room | None:
    """The room that a field chooses from, if it is a choice."""
    return next((item for item in info.metadata if isinstance(item, Room)), None)


def branch_of(info: FieldInfo) -> type[Branch] | None:
    """The branch that a field holds, if it holds one that is no choice."""
    kind = info.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Branch) and room_of(info) is None else None


def _optional(info: FieldInfo) -> bool:
    return NoneType in get_args(info.annotation)


# ---------------------------------------------------------------------------------------------- a few types of value

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.lower())
    rest = re.sub(r"(\d+(?:\.\d+)?)\s*([a-z]*)", "", value.lower()).strip()
    if not parts or rest or any(unit not in _UNITS for _, unit in parts):
        raise ValueError(f"a time is written 90s, 5m, 1h30m, and not {printable(value)!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _listed(value: Any) -> Any:
    return tuple(item.strip() for item in value.split(",") if item.strip()) if isinstance(value, str) else value


Duration = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]
"""Seconds; written 90, 90s, 5m or 1h30m."""
Rate = Annotated[float, Field(ge=0, lt=1)]
"""A share, at least 0 and below 1."""
Count = Annotated[int, Field(gt=0)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""Several words; written with commas."""


# ------------------------------------------------------------------------------------------------- resolving the tree


@dataclass(frozen=True)
class Assignment:
    """One value for one path, and where it was given: `--model.encoder.layers`, `recipe.yaml:12`, `recipe tag`."""

    path: str
    value: Any
    origin: str


@dataclass
class _Twig:
    value: Any = None
    origin: str = ""
    layer: int = -1
    children: dict[str, "_Twig"] = field(default_factory=dict)


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
    return tree, {path: origin for path, origin in origins.items() if path in dict(leaves(tree))}


def _assign(twig: _Twig, path: list[str], value: Any, origin: str, layer: int) -> None:
    for name in path:
        twig = twig.children.setdefault(name, _Twig())
    if twig.value != value:
        twig.children = {name: child for name, child in twig.children.items() if _newest(child) >= layer}
    twig.value, twig.origin, twig.layer = value, origin, layer


def _newest(twig: _Twig) -> int:
    return max([twig.layer, *(_newest(child) for child in twig.children.values())])


def _note_origins(twig: _Twig, path: str, origins: dict[str, str]) -> None:
    if twig.origin:
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
        elif branch is not None and child.layer < 0:
            values[name] = _build(branch, child, where, problems, root)
        elif child.children:
            below = next(iter(child.children))
            problems.append(f"{where} holds one value, so there is no {where}.{below} ({_first_origin(child)})")
        else:
            values[name] = None if _optional(info) and str(child.value).lower() in ("none", "null") else child.value
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
    if isinstance(twig.value, Branch):
        return twig.value
    name = twig.value
    if name is None and twig.layer >= 0 and _optional(info) and not twig.children:
        return None
    if name is None:
        fallback = info.get_default(call_default_factory=True, validated_data={})
        name = None if fallback is None else room.name_of(fallback)
    if _optional(info) and str(name).lower() in ("none", "null") and "none" not in room.names():
        if twig.children:
            below = next(iter(twig.children))
            problems.append(f"{path} is none, so there is no {path}.{below} ({_first_origin(twig.children[below])})")
        return None
    try:
        settings = room.settings(str(name))
    except UsageError as error:
        problems.append(f"{path}: {error} (from {twig.origin})")
        return None
    return _build(settings, twig, path, problems, root)


def _first_origin(twig: _Twig) -> str:
    return twig.origin or next((_first_origin(child) for child in twig.children.values()), "")


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


# --------------------------------------------------------------------------------------------------- reading the tree


def leaves(branch: Branch, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every (path, value) of the tree in order; a choice gives its name, then its own settings."""
    for name, info in type(branch).model_fields.items():
        where, value, room = f"{path}{name}", getattr(branch, name), room_of(info)
        if room is not None and value is not None:
            yield where, room.name_of(value)
        if isinstance(value, Branch):
            yield from leaves(value, where + ".")
        else:
            yield where, value


def dump(branch: Branch) -> dict[str, Any]:
    """The tree as plain mappings, each choice with its `kind`; `load(type(tree), dump(tree)) == tree`."""
    plain: dict[str, Any] = {}
    for name, info in type(branch).model_fields.items():
        value, room = getattr(branch, name), room_of(info)
        if isinstance(value, Branch):
            plain[name] = ({} if room is None else {KIND: room.name_of(value)}) | dump(value)
        else:
            plain[name] = _plain(value)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, float, bool, NoneType)):
        return value
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return str(value)


def load(root: type[Tree], plain: Mapping[str, Any], origin: str) -> Tree:
    """The tree that `dump` wrote. Raises UsageError."""
    return resolve(root, [assignments(plain, origin)])[0]


def assignments(plain: Mapping[str, Any], origin: str) -> list[Assignment]:
    """A mapping, nested or with dotted keys, as assignments of one origin; `kind` names the choice it stands in."""
    found: list[Assignment] = []
    for key, value in plain.items():
        if isinstance(value, Branch):
            value = dump(value)
        if isinstance(value, Mapping):
            for below in assignments(value, origin):
                path = key if below.path == KIND else f"{key}.{below.path}"
                found.append(Assignment(path.removesuffix(f".{KIND}"), below.value, origin))
        else:
            found.append(Assignment(str(key), value, origin))
    return found


def changes(branch: Branch, origin: str) -> list[Assignment]:
    """What differs from the defaults, as assignments: how a recipe becomes a layer below what a user sets."""
    return _changes(branch, None, "", origin)


def _changes(branch: Branch, default: Branch | None, path: str, origin: str) -> list[Assignment]:
    default = type(branch)() if default is None else default
    found: list[Assignment] = []
    for name, info in type(branch).model_fields.items():
        value, usual, room = getattr(branch, name), getattr(default, name), room_of(info)
        where = f"{path}{name}"
        if isinstance(value, Branch):
            same = type(value) is type(usual)
            if room is not None and not same:
                found.append(Assignment(where, room.name_of(value), origin))
            found += _changes(value, usual if same else None, where + ".", origin)
        elif value != usual:
            found.append(Assignment(where, value, origin))
    return found


def describe(cls: type[Branch], path: str = "") -> Iterator[tuple[str, str, Any, str]]:
    """Every (path, type, default, what it does) below a branch, following each choice's default: for `--help`."""
    for name, info in cls.model_fields.items():
        where, room, branch = f"{path}{name}", room_of(info), branch_of(info)
        default = info.get_default(call_default_factory=True, validated_data={})
        if room is not None:
            chosen = None if default is None else room.name_of(default)
            yield (
                where,
                " | ".join(([] if default is not None else ["none"]) + room.names()),
                chosen,
                info.description or "",
            )
            if chosen is not None:
                yield from describe(room.settings(chosen), where + ".")
        elif branch is not None:
            yield from describe(branch, where + ".")
        else:
            yield where, _type_name(info.annotation), default, info.description or ""


def _type_name(annotation: Any) -> str:
    arguments = [a for a in get_args(annotation) if a is not NoneType]
    if str(get_origin(annotation)).endswith("Literal"):
        return " | ".join(map(str, arguments))
    if arguments and get_origin(annotation) is not tuple:
        optional = ["none"] if NoneType in get_args(annotation) else []
        return " | ".join(dict.fromkeys([_type_name(a) for a in arguments if not hasattr(a, "gt")] + optional))
    return getattr(annotation, "__name__", str(annotation))
