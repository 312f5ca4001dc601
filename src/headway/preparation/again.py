"""What was prepared before: whether it is what is wanted now, and what may not be otherwise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.data.index import Index, is_index
from headway.errors import UsageError, file_name
from headway.run import Run
from headway.settings import load


def there(folder: Path, facts: Mapping[str, Any]) -> Index | None:
    """What lies in a folder, where it was prepared from the same in the same way."""
    if not is_index(folder):
        return None
    found = Index(folder)
    return found if all(found.facts.get(name) == value for name, value in facts.items()) else None


def refuse_other_reading(run: Run, index: Index) -> None:
    """Refuse settings with which the data would have become other numbers. Raises UsageError."""
    stored = load(Run, index.facts["settings"], file_name(index.folder))
    other = [
        f"  data.{name}: {getattr(stored.data, name)} there, {getattr(run.data, name)} now"
        for name in type(run.data).model_fields
        if getattr(run.data, name) != getattr(stored.data, name)
    ]
    for name in ("characters", "reads_letters"):
        before, now = (bool(getattr(one.model.input, name, 0)) for one in (stored, run))
        if before != now:
            other.append(f"  model.input: {'with' if before else 'without'} the letters of words there, and not so now")
            break
    if other:
        raise UsageError(
            f"{file_name(index.folder)} was prepared with other settings:\n" + "\n".join(other) + "\ngive the same, "
            "or prepare the data anew"
        )
