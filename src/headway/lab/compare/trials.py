"""The learning rate of each arm, tuned with the same effort for all: a ladder of short trainings on the valid part."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.errors import HeadwayError
from headway.lab.compare.budget import Budget
from headway.lab.compare.cells import Cell
from headway.lab.compare.examine import Examined
from headway.report.wording import is_better_higher
from headway.run import Run

LADDER = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Factors of the learning rate that the settings have."""
SHARE = 0.2
"""Of a cell's budget, for each trial: the ladder of an arm takes as long as one of its cells."""


@dataclass(frozen=True)
class Trial:
    """One rung: what the valid part's first metric came to; None where training diverged, or is not done yet."""

    factor: float
    rate: float
    value: float | None


def trials(
    one: Examined, seed: int, budget: Budget, within: Path, data: str | None, prints: Mapping[str, str]
) -> list[Cell]:
    """The ladder of an arm, with the first seed and a share of the budget each."""
    found = []
    for factor in LADDER:
        run = with_rate(one.arm.run, factor * one.arm.run.training.learning_rate)
        run = budget.given_to(run, one.train, SHARE)
        found.append(Cell(within / f"{one.arm.folder}-x{factor:g}", one.arm.name, seed, run, data, prints, None))
    return found


def climbed(cells: Sequence[Cell]) -> list[Trial]:
    """What came of a ladder, rung by rung."""
    found = []
    for factor, cell in zip(LADDER, cells, strict=True):
        found.append(Trial(factor, cell.run.training.learning_rate, _value(cell.result)))
    return found


def _value(result: Mapping[str, Any] | None) -> float | None:
    if result is None or "failed" in result:
        return None
    value = next(iter(result["metrics"]["valid"].values()))
    return value if math.isfinite(value) else None


def chosen(ladder: Sequence[Trial], arm: str, metric: str | None) -> Trial:
    """The best rung; of equals the one nearest to the rate that the settings have. Raises HeadwayError without any."""
    sign = 1 if metric is None or is_better_higher(metric) else -1
    done = [(sign * trial.value, -abs(math.log(trial.factor)), trial) for trial in ladder if trial.value is not None]
    if not done:
        raise HeadwayError(
            f"arm {arm}: training diverged with every learning rate of the ladder; set a lower training.learning_rate "
            "to begin from"
        )
    return max(done, key=lambda one: one[:2])[2]


def at_the_edge(ladder: Sequence[Trial], choice: Trial) -> bool:
    """Whether the best rung is the first or the last, so that a better one may lie beyond."""
    return choice in (ladder[0], ladder[-1])


def with_rate(run: Run, rate: float) -> Run:
    """The run with this learning rate."""
    return run.replace(training=run.training.replace(learning_rate=rate))
