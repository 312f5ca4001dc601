"""Random trees of settings: any value that each field allows, any file that each room holds."""

import functools
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from hypothesis import strategies as st

from headway.settings.branch import Branch, branch_of, is_optional, room_of

WORD = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=9)
"""Words as settings hold them; `none` and `null` stand for no value where one is optional."""


def bounds(metadata: list[Any]) -> dict[str, Any]:
    """gt, ge, lt, le among what annotates a number."""
    found: dict[str, Any] = {}
    for item in metadata:
        found |= bounds(getattr(item, "metadata", []))
        found |= {
            name: getattr(item, name) for name in ("gt", "ge", "lt", "le") if getattr(item, name, None) is not None
        }
    return found


def values(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    """What a field of this type may hold."""
    if get_origin(annotation) is Annotated:
        base, *more = get_args(annotation)
        return values(base, [*metadata, *more])
    arguments = get_args(annotation)
    if NoneType in arguments:
        (other,) = [argument for argument in arguments if argument is not NoneType]
        return st.none() | values(other, metadata).filter(lambda value: str(value).lower() not in ("none", "null"))
    if get_origin(annotation) is Literal:
        return st.sampled_from(arguments)
    if get_origin(annotation) is tuple:
        return st.lists(WORD, max_size=3).map(tuple)
    if annotation is bool:
        return st.booleans()
    if annotation is str:
        return WORD
    limits = bounds(metadata)
    if annotation is int:
        least = limits.get("ge", limits.get("gt", -1001) + 1 if "gt" in limits else 0)
        return st.integers(least, 1_000_000)
    assert annotation is float, annotation
    least, most = limits.get("ge", limits.get("gt", -1e6)), limits.get("le", limits.get("lt", 1e6))
    return st.floats(least, most, exclude_min="gt" in limits, exclude_max="lt" in limits, allow_nan=False)


@functools.cache
def trees(cls: type[Branch]) -> st.SearchStrategy[Any]:
    """Random settings of this kind, with everything that hangs below."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, info in cls.model_fields.items():
        room, branch = room_of(info), branch_of(info)
        if room is not None:
            below = {file: trees(room.settings(file)) for file in room.names()}
            chosen = st.sampled_from(sorted(below)).flatmap(below.__getitem__)  # whose repr is short
            fields[name] = st.none() | chosen if is_optional(info) else chosen
        else:
            fields[name] = trees(branch) if branch is not None else values(info.annotation, info.metadata)
    return st.builds(cls, **fields)
