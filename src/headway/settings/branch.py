"""Branches, which declare what can be set, and rooms, whose files are what can be chosen."""

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from types import ModuleType, NoneType
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from headway.errors import UsageError, printable, unknown

KIND = "kind"
"""The key that names the chosen file where a part is written as a mapping: `{kind: rotary, base: 5000}`."""

Own = TypeVar("Own", bound="Branch")


class Branch(BaseModel):
    """A node of the tree of settings: typed, frozen, unknown names are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)

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


@cache
def meanings(cls: type[Branch]) -> Mapping[str, str]:
    """What each field of a branch means: the string below it, in the source of its class and of those it extends.

    Read when somebody asks. pydantic would read it whenever a class is made, and look through every module that is
    imported to find it: a fifth of a second from every start.
    """
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if issubclass(each, Branch) and each is not Branch:
            found |= _strings_below_fields(each)
    return found


def _strings_below_fields(cls: type) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):  # made without a file
        return {}
    (declared,) = ast.parse(source).body
    assert isinstance(declared, ast.ClassDef)
    return {
        field.target.id: inspect.cleandoc(told.value.value)
        for field, told in pairwise(declared.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(told, ast.Expr)
        and isinstance(told.value, ast.Constant)
        and isinstance(told.value.value, str)
    }


def room_of(info: FieldInfo) -> Room | None:
    """The room that a field chooses from, if it is a choice."""
    return next((item for item in info.metadata if isinstance(item, Room)), None)


def branch_of(info: FieldInfo) -> type[Branch] | None:
    """The branch that a field holds, if it holds one that is no choice."""
    kind = info.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Branch) and room_of(info) is None else None


def is_optional(info: FieldInfo) -> bool:
    return NoneType in get_args(info.annotation)
