"""Types of values that several branches have."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from headway.errors import printable

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.lower())
    rest = re.sub(r"(\d+(?:\.\d+)?)\s*([a-z]*)", "", value.lower()).strip()
    if not parts or rest or any(unit not in _UNITS for _, unit in parts):
        raise ValueError(f"a time is written 90s, 5m, 1h30m, and not {printable(value)!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _word(value: Any) -> Any:
    """YAML reads `source: 1` as a number, and a column's number is a word like its name."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _listed(value: Any) -> Any:
    value = _word(value)
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return tuple(map(_word, value)) if isinstance(value, list | tuple) else value


Duration = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]
"""Seconds; written 90, 90s, 5m or 1h30m."""
Rate = Annotated[float, Field(ge=0, lt=1)]
"""A share, at least 0 and below 1."""
Count = Annotated[int, Field(gt=0)]
Name = Annotated[str, BeforeValidator(_word)]
"""A word, or a number in its place."""
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""Several words; written with commas."""
