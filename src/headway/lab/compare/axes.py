"""What differs between the arms of a comparison: axes of values, their grid, and which settings apply to which arm."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from headway.errors import UsageError, printable
from headway.run import Run
from headway.settings import Assignment, changes, leaves, resolve

OF_ITEMS = ("train", "valid", "test", "format", "task", "source", "target", "on_bad")
SAME_ITEMS = "every arm answers the same items of the same data"
SAME_BUDGET = "every arm has the same budget: --time, --tokens or --steps"
FIXED = {
    **dict.fromkeys((f"data.{name}" for name in OF_ITEMS), SAME_ITEMS),
    "model.task": SAME_ITEMS,
    "model.task.metrics": "every arm is measured by the same metrics",
    **dict.fromkeys((f"training.{name}" for name in ("steps", "epochs", "time_limit")), SAME_BUDGET),
    "machine.seed": "every arm is trained with the same seeds: --seeds N",
}
"""What cannot be an axis, and why."""


@dataclass(frozen=True)
class Axis:
    """A setting and the values that are compared."""

    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Arm:
    """One combination of values, and all settings that follow from it.

    choices    the value of each axis that applies to this arm
    dropped    settings that were given and do not apply to it
    """

    name: str
    choices: Mapping[str, Any]
    run: Run
    dropped: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """The name as a part of a path; what had to be changed for that is told apart by a hash."""
        plain = re.sub(r"[^\w.=+-]+", "_", self.name.replace(" + ", "+"))[:80]
        if plain == self.name.replace(" + ", "+"):
            return plain
        return f"{plain}-{hashlib.blake2b(self.name.encode(), digest_size=3).hexdigest()}"


def axis_of(text: str) -> Axis:
    """`PATH=a,b,c` as an axis. Raises UsageError."""
    path, sign, values = text.partition("=")
    if not sign or not path.strip():
        raise UsageError(
            f"--axis {printable(text)}: expected PATH=VALUE,VALUE, as in --axis model.encoder.layers=1,2,4; "
            "`headway config` shows all paths"
        )
    return Axis(path.strip(), tuple(value.strip() for value in values.split(",") if value.strip()))


def check_axes(axes: Sequence[Axis], given: Sequence[Assignment]) -> None:
    """Refuse axes that cannot be compared, or not fairly. Raises UsageError."""
    if not axes:
        raise UsageError("nothing to compare: give an axis, as in --axis model.encoder.mixer=attention,convolution")
    paths = [axis.path for axis in axes]
    for axis in axes:
        if axis.path in FIXED:
            raise UsageError(f"{axis.path} cannot be an axis: {FIXED[axis.path]}")
        if paths.count(axis.path) > 1:
            raise UsageError(f"--axis {axis.path} was given twice; put all of its values into one")
        if len(dict.fromkeys(map(str, axis.values))) < 2:
            raise UsageError(
                f"--axis {axis.path} has {'no value' if not axis.values else 'one value'}, and a comparison needs two: "
                f"--axis {axis.path}=a,b; what is the same for all arms is a setting: --{axis.path} VALUE"
            )
        if len(dict.fromkeys(map(str, axis.values))) < len(axis.values):
            raise UsageError(f"--axis {axis.path} has a value twice")
        if any(one.path == axis.path for one in given):
            raise UsageError(f"{axis.path} is an axis and a setting: leave out --{axis.path}")


def arms_of(base: Run, origins: Mapping[str, str], axes: Sequence[Axis], below: Sequence[Assignment] = ()) -> list[Arm]:
    """Every combination of the axes' values, the first axis slowest; equal ones once.

    base, origins    the run of all arms together, and where its values came from
    below            settings below an axis, which apply to those arms whose value has them

    A value or a setting that other values of an arm leave no place for is dropped there, and is said. One that applies
    nowhere is an error, with the nearest name. Raises UsageError.
    """
    arms: list[Arm] = []
    used: set[str] = set()
    for values in product(*(axis.values for axis in axes)):
        steps = [Assignment(axis.path, value, f"--axis {axis.path}") for axis, value in zip(axes, values)]
        run, taken, left = applied(base, [*steps, *below])
        used.update(one.path for one in taken)
        choices = {axis.path: dict(leaves(run))[axis.path] for axis in axes if axis.path in {t.path for t in taken}}
        if all(run != arm.run for arm in arms):
            arms.append(Arm(_name(choices, axes), choices, run, tuple(_dropped(run, left, origins))))
    for one in [*(Assignment(axis.path, axis.values[0], f"--axis {axis.path}") for axis in axes), *below]:
        if one.path not in used:
            resolve(Run, [changes(base, "base"), [one]])  # says what is wrong with it
    if len(arms) < 2:
        raise UsageError("all arms are the same: the values of the axes mean the same settings")
    return arms


def applied(base: Run, wanted: Sequence[Assignment]) -> tuple[Run, list[Assignment], list[Assignment]]:
    """(the run, what was applied, what has no place): choices come before what hangs below them."""
    layers, taken, left = [changes(base, "base")], [], []
    run = base
    for one in sorted(wanted, key=lambda one: one.path.count(".")):
        if one.path not in dict(leaves(run)):
            left.append(one)
            continue
        layers.append([one])
        taken.append(one)
        run = resolve(Run, layers)[0]
    return run, taken, left


def _dropped(run: Run, left: Sequence[Assignment], origins: Mapping[str, str]) -> Iterator[str]:
    there = dict(leaves(run))
    yield from dict.fromkeys(one.path for one in left)
    yield from (f"{path} ({origin})" for path, origin in origins.items() if path not in there)


def _name(choices: Mapping[str, Any], axes: Sequence[Axis]) -> str:
    """Words stand for themselves, numbers with the last word of their path."""
    words = {axis.path for axis in axes if all(_is_word(value) for value in axis.values)}
    tails = [path.rpartition(".")[2] for path in choices]
    parts = []
    for path, value in choices.items():
        shown = ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
        tail = path.rpartition(".")[2]
        tail = tail if tails.count(tail) == 1 else ".".join(path.split(".")[-2:])
        parts.append(shown if path in words else f"{tail}={'none' if value is None else shown}")
    return " + ".join(parts)


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.]*", value) is not None and value.lower() not in (
        "true", "false", "none", "null",
    )  # fmt: skip
