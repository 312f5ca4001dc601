"""The tree of settings as paths and values, as plain mappings, and as what differs from the defaults."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from headway.settings.branch import KIND, Branch, branch_of, meanings, room_of


@dataclass(frozen=True)
class Assignment:
    """One value for one path, and where it was given: `--model.encoder.layers`, `recipe.yaml:12`, `recipe tag`."""

    path: str
    value: Any
    origin: str


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


def assignments(plain: Mapping[str, Any], origin: str) -> list[Assignment]:
    """A mapping, nested or with dotted keys, as assignments of one origin; `kind` names the choice it stands in.

    A branch may stand where its settings belong; it is given as it is, for it says which file of a room it is of, and
    with every value below it.
    """
    found: list[Assignment] = []
    for key, value in plain.items():
        if isinstance(value, Mapping):
            for below in assignments(value, origin):
                path = key if below.path == KIND else f"{key}.{below.path}"
                found.append(Assignment(path.removesuffix(f".{KIND}"), below.value, origin))
        else:
            found.append(Assignment(str(key), value, origin))
            if isinstance(value, Branch):
                found += [Assignment(path, own, origin) for path, own in leaves(value, f"{key}.")]
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
        told = meanings(cls).get(name) or info.description or ""
        if room is not None:
            chosen = None if default is None else room.name_of(default)
            yield where, " | ".join(([] if default is not None else ["none"]) + room.names()), chosen, told
            if chosen is not None:
                yield from describe(room.settings(chosen), where + ".")
        elif branch is not None:
            yield from describe(branch, where + ".")
        else:
            yield where, _type_name(info.annotation), default, told


def _type_name(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        return _type_name(get_args(annotation)[0])
    arguments = [a for a in get_args(annotation) if a is not NoneType]
    if str(get_origin(annotation)).endswith("Literal"):
        return " | ".join(map(str, arguments))
    if arguments and get_origin(annotation) is not tuple:
        optional = ["none"] if NoneType in get_args(annotation) else []
        return " | ".join(dict.fromkeys([_type_name(a) for a in arguments] + optional))
    return getattr(annotation, "__name__", str(annotation))
