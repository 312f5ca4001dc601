"""How much each arm may use: time, tokens or updates, the same for all; and the share of it that a trial gets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from headway.data.batching import plan as updates_of
from headway.data.encoding import Encoded
from headway.errors import UsageError, printable
from headway.report.wording import duration, plural
from headway.run import Run
from headway.settings import Assignment, Duration

OWN = ("training.steps", "training.epochs", "training.time_limit")
"""Settings that are a budget, too."""


@dataclass(frozen=True)
class Budget:
    """One of the three, or none: then each arm trains as long as its settings say.

    seconds    measured training time, of the core alone where a cell has one thread: a busy machine takes nothing from
               one arm; the learning rate's schedule is planned for it
    tokens     tokens trained on, padding left out: as many whole updates as reach it
    steps      updates of the weights
    """

    seconds: float | int | None = None
    tokens: int | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) > 1:
            raise UsageError(
                f"one budget for every arm, and {' and '.join(_OPTIONS[name] for name in given)} were given"
            )
        for name, value in given.items():
            if value <= 0:
                raise UsageError(f"{_OPTIONS[name]} must be above 0, and is {value:g}")

    def check(self, given: Sequence[Assignment]) -> None:
        """Refuse a budget that stands beside a setting that is one, too. Raises UsageError."""
        if self == Budget():
            return
        option = next(_OPTIONS[name] for name, value in vars(self).items() if value is not None)
        for one in given:
            if one.path in OWN and one.value is not None:
                raise UsageError(f"{option} is the budget of every arm, and {one.origin} is another; leave one out")

    def words(self, run: Run) -> str:
        """The budget in words; `run` says it where none is given."""
        if self.seconds is not None:
            return f"{duration(self.seconds)} of training for every arm and seed"
        if self.tokens is not None:
            return f"{self.tokens:,} tokens for every arm and seed"
        training = run.training
        if self.steps is not None or training.steps is not None:
            return f"{plural(self.steps or training.steps or 0, 'update')} for every arm and seed"
        limit = "" if training.time_limit is None else f", at most {duration(training.time_limit)}"
        if training.epochs is None:
            return f"as training.time_limit has it{limit}"
        return f"{plural(training.epochs, 'pass', 'passes')} over the training part{limit}"

    @property
    def fills_time(self) -> bool:
        """Whether all arms use the same time; with any other budget the time differs."""
        return self.seconds is not None

    def given_to(self, run: Run, train: Encoded, share: float = 1.0) -> Run:
        """The run with this share of the budget; `train` is what it learns from, and its seed is the run's."""
        if self.seconds is not None:
            return _with(run, steps=None, epochs=None, time_limit=share * self.seconds)
        if self.tokens is not None:
            return _with(run, steps=steps_for(run, train, share * self.tokens), epochs=None, time_limit=None)
        if self.steps is not None:
            return _with(run, steps=_part(self.steps, share), epochs=None, time_limit=None)
        if share == 1.0:
            return run
        steps, epochs, limit = run.training.steps, run.training.epochs, run.training.time_limit
        if steps is None and epochs is not None:
            steps = epochs * len(_updates(run, train, 0))
        return _with(
            run,
            steps=None if steps is None else _part(steps, share),
            epochs=None,
            time_limit=None if limit is None else share * limit,
        )


_OPTIONS = {"seconds": "--time", "tokens": "--tokens", "steps": "--steps"}


def seconds_of(time: float | int | str | None) -> float | None:
    """A time as settings have it: seconds, or 90s, 5m, 1h30m. Raises UsageError."""
    try:
        return None if time is None else TypeAdapter(Duration).validate_python(time)
    except ValidationError as error:
        told = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"--time {printable(time)}: {told}") from None


def steps_for(run: Run, train: Encoded, tokens: float | int) -> int:
    """The updates whose tokens, in the run's own order, first reach so many."""
    steps, seen, epoch = 0, 0, 0
    while True:
        sums = [sum(int(train.costs[rows].sum()) for rows in update) for update in _updates(run, train, epoch)]
        until = int(np.searchsorted(np.cumsum(sums), tokens - seen)) + 1
        if until <= len(sums):
            return steps + until
        steps, seen, epoch = steps + len(sums), seen + sum(sums), epoch + 1


def _updates(run: Run, train: Encoded, epoch: int) -> Sequence[Any]:
    return updates_of(train.costs, run.training.tokens, run.machine.seed, epoch, run.training.groups)


def _part(steps: int, share: float) -> int:
    return max(1, round(share * steps))


def _with(run: Run, **training: Any) -> Run:
    return run.replace(training=run.training.replace(**training))
