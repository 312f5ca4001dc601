"""Where settings are searched for: ranges and lists of values, those of a recipe where the user says nothing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headway.errors import UsageError, printable
from headway.lab.compare.axes import FIXED
from headway.run import Run
from headway.settings import leaves

RATES = 4.0
"""How far from the recipe's learning rate it is searched for, as a factor up and down."""


@dataclass(frozen=True)
class Dimension:
    """A setting that is searched for: one of some values, or a number from low to high.

    log    whether numbers are drawn evenly by their logarithm
    """

    path: str
    values: tuple[Any, ...] = ()
    low: float | int = 0
    high: float | int = 0
    log: bool = False

    def suggested(self, trial: Any) -> Any:
        """The value that an Optuna trial takes here."""
        if self.values:
            return trial.suggest_categorical(self.path, list(self.values))
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(self.path, self.low, self.high, log=self.log)
        return trial.suggest_float(self.path, self.low, self.high, log=self.log)

    def __str__(self) -> str:
        if self.values:
            return f"{self.path}={','.join(map(str, self.values))}"
        return f"{self.path}={self.low:g}..{self.high:g}{':log' if self.log else ''}"


def dimension_of(text: str) -> Dimension:
    """`PATH=a,b,c`, `PATH=low..high` or `PATH=low..high:log`. Raises UsageError."""
    path, sign, told = text.partition("=")
    path, told = path.strip(), told.strip()
    if not sign or not path or not told:
        raise UsageError(
            f"--space {printable(text)}: expected PATH=VALUE,VALUE or PATH=LOW..HIGH, as in --space "
            "model.encoder.layers=1..4 or --space training.learning_rate=1e-4..1e-2:log"
        )
    if path in FIXED:
        raise UsageError(f"{path} cannot be searched for: {FIXED[path].replace('arm', 'trial')}")
    if ".." not in told:
        return Dimension(path, tuple(dict.fromkeys(value.strip() for value in told.split(",") if value.strip())))
    bounds, colon, scale = told.partition(":")
    low, high = map(_number, bounds.split("..", 1))
    if low is None or high is None or low >= high or (colon and scale != "log") or (scale == "log" and low <= 0):
        raise UsageError(
            f"--space {printable(text)}: expected two numbers, the lower first, as in {path}=0.1..0.5, and above 0 "
            "where :log follows"
        )
    if not (isinstance(low, int) and isinstance(high, int)):
        low, high = float(low), float(high)
    return Dimension(path, low=low, high=high, log=scale == "log")


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if math.isfinite(value) else None
    return None


def space_for(run: Run, given: Sequence[Dimension], fixed: Mapping[str, Any]) -> list[Dimension]:
    """Around the recipe: learning rate, dropout, width, depth, tokens of an update; and what the user gave.

    given    dimensions of the user, which take the place of those of the same path
    fixed    settings that the user chose: they are not searched for
    """
    for one in given:
        if one.path in fixed:
            raise UsageError(f"{one.path} is searched for and set: leave out --{one.path}, or --space {one.path}")
    known, mine = dict(leaves(run)), {one.path: one for one in given}
    usual = [one for one in _usual(run) if one.path in known and one.path not in (*fixed, *mine)]
    return [*usual, *mine.values()]


def _usual(run: Run) -> list[Dimension]:
    """What matters most for a model of its own on data of its own."""
    encoder, training = run.model.encoder, run.training
    rate, heads = training.learning_rate, getattr(encoder.mixer, "heads", 1)
    step = 2 * heads  # of every head an even share, which positions that turn need
    widths = dict.fromkeys(max(step, round(encoder.width * factor / step) * step) for factor in (0.5, 0.75, 1, 1.5))
    return [
        Dimension("training.learning_rate", low=rate / RATES, high=rate * RATES, log=True),
        Dimension("model.encoder.dropout", low=0.0, high=0.5),
        Dimension("model.encoder.width", tuple(widths)),
        Dimension("model.encoder.layers", low=1, high=max(2, 2 * encoder.layers)),
        Dimension("training.tokens", tuple(max(1, int(training.tokens * factor)) for factor in (0.5, 1, 2))),
    ]
