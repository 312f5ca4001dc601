"""What a comparison came to so far: for each arm its figures, for each pair whether they differ by more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway import storage
from headway.errors import RunError, printable
from headway.lab.compare.bootstrap import holm, interval, p_value
from headway.lab.compare.cells import FORMAT
from headway.report.wording import is_better_higher

LEVEL = 0.05
"""The chance of one or more false findings among all pairs that is taken."""


@dataclass(frozen=True)
class Spread:
    """A metric of one arm: the mean over its seeds, its 95 % interval over test items, and each seed's own value."""

    mean: float
    interval: tuple[float, float]
    by_seed: tuple[float, ...]


@dataclass(frozen=True)
class ArmResult:
    """One arm with those of its cells that are finished.

    told       what plan.json says of it: choices, dropped, parameters, flops, learning_rate, ladder
    cells      the finished cells by seed, in the order of seeds
    failed     what was wrong with those that diverged, by seed
    metrics    by name; empty while no cell is finished
    """

    name: str
    told: Mapping[str, Any]
    cells: Mapping[int, Mapping[str, Any]]
    failed: Mapping[int, str]
    metrics: Mapping[str, Spread]

    def mean_fact(self, name: str) -> float | None:
        """The mean of a fact of training over the finished seeds; None where none knows it."""
        values = [cell["facts"][name] for cell in self.cells.values() if cell["facts"].get(name) is not None]
        return fmean(values) if values else None

    @property
    def peak_memory(self) -> int | None:
        """The largest peak of its cells in bytes."""
        return max(
            (c["facts"]["peak_memory"] for c in self.cells.values() if c["facts"].get("peak_memory")), default=None
        )


@dataclass(frozen=True)
class Pair:
    """Two arms by the first metric, on the seeds that both have.

    difference    second − first, the mean over seeds
    by_seed       the same for each seed
    p, adjusted   of the paired bootstrap; made larger for the number of pairs
    """

    first: str
    second: str
    difference: float
    interval: tuple[float, float]
    by_seed: tuple[float, ...]
    p: float
    adjusted: float = 1.0

    @property
    def beyond_items(self) -> bool:
        """Whether the choice of test items alone would hardly make such a difference."""
        return self.adjusted < LEVEL

    @property
    def every_seed(self) -> bool:
        """Whether it has the same sign for every seed."""
        return len({np.sign(value) for value in self.by_seed}) == 1

    @property
    def holds(self) -> bool:
        """Larger than chance: by the test items, and not of one sign for one seed and of another for the next."""
        return self.beyond_items and self.every_seed


@dataclass(frozen=True)
class Results:
    """Everything that is known of a comparison; `plan` is plan.json."""

    folder: Path
    plan: Mapping[str, Any]
    arms: Sequence[ArmResult]
    pairs: Sequence[Pair] = ()
    metrics: Sequence[str] = ()
    signatures: Mapping[str, str] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def metric(self) -> str | None:
        """The metric that decides; None before the first cell is finished."""
        return self.metrics[0] if self.metrics else None

    @property
    def done(self) -> int:
        """Cells that are finished, those that diverged among them."""
        return sum(len(arm.cells) + len(arm.failed) for arm in self.arms)

    @property
    def total(self) -> int:
        return len(self.plan["arms"]) * len(self.plan["seeds"])

    @property
    def part(self) -> str:
        return self.plan["data"]["part"]

    def best(self) -> ArmResult | None:
        """The arm with the best mean."""
        ready = [arm for arm in self.arms if self.metric in arm.metrics]
        if not ready or self.metric is None:
            return None
        sign = 1 if is_better_higher(self.metric) else -1
        return max(ready, key=lambda arm: sign * arm.metrics[str(self.metric)].mean)

    def pair(self, one: str, other: str) -> Pair | None:
        """The pair of these two arms, whichever is first."""
        return next((pair for pair in self.pairs if {pair.first, pair.second} == {one, other}), None)


def results_of(folder: Path) -> Results:
    """What is finished in the folder of a comparison. Raises RunError."""
    path = folder / "plan.json"
    if not path.is_file():
        raise RunError(f"{folder} holds no comparison: it has no plan.json; headway compare DATA --axis … makes one")
    plan = storage.read_json(path)
    if not isinstance(plan, dict) or not isinstance(plan.get("format"), int) or "cells" not in plan:
        raise RunError(f"{path} is damaged: it is no plan of a comparison")
    if plan["format"] > FORMAT:
        raise RunError(f"{path} was written by headway {printable(plan['version'])}; a newer headway reads it")
    arms = [_arm(folder, plan, told) for told in plan["arms"]]
    first = next((cell for arm in arms for cell in arm.cells.values()), None)
    if first is None:
        return Results(folder, plan, arms)
    metrics = list(first["values"])
    part = plan["data"]["part"]
    baselines = next((cell["baselines"] for arm in arms for cell in arm.cells.values() if cell["baselines"]), {})
    return Results(
        folder,
        plan,
        arms,
        _pairs(arms, metrics[0]),
        metrics,
        {name: first["signatures"][name] for name in metrics},
        {method: of[part] for method, of in baselines.items() if part in of},
    )


def _arm(folder: Path, plan: Mapping[str, Any], told: Mapping[str, Any]) -> ArmResult:
    cells, failed = {}, {}
    for one in plan["cells"]:
        path = folder / one["folder"] / "cell.json"
        if one["arm"] == told["name"] and path.is_file():
            cell = storage.read_json(path)
            if "failed" in cell:
                failed[one["seed"]] = cell["failed"]
            else:
                cells[one["seed"]] = cell
    names = list(next(iter(cells.values()))["values"]) if cells else []
    return ArmResult(told["name"], told, cells, failed, {name: _spread(list(cells.values()), name) for name in names})


def _spread(cells: Sequence[Mapping[str, Any]], name: str) -> Spread:
    values = tuple(cell["values"][name] for cell in cells)
    return Spread(fmean(values), interval(_over_seeds(cells, name, _drawn(cells, name))), values)


def _drawn(cells: Sequence[Mapping[str, Any]], name: str) -> int:
    """Resamples that all of these cells have."""
    return min(len(cell["resampled"][name]["values"]) for cell in cells)


def _over_seeds(cells: Sequence[Mapping[str, Any]], name: str, drawn: int) -> NDArray[np.float64]:
    """(R) the mean over seeds of a metric on each of the first resamples."""
    return np.mean([cell["resampled"][name]["values"][:drawn] for cell in cells], axis=0)


def _pairs(arms: Sequence[ArmResult], metric: str) -> list[Pair]:
    found = []
    for first, second in combinations(arms, 2):
        seeds = [seed for seed in first.cells if seed in second.cells]
        if not seeds:
            continue
        one, other = [first.cells[s] for s in seeds], [second.cells[s] for s in seeds]
        drawn = _drawn([*one, *other], metric)
        resampled = _over_seeds(other, metric, drawn) - _over_seeds(one, metric, drawn)
        by_seed = tuple(b["values"][metric] - a["values"][metric] for a, b in zip(one, other))
        found.append(Pair(first.name, second.name, fmean(by_seed), interval(resampled), by_seed, p_value(resampled)))
    return [
        Pair(p.first, p.second, p.difference, p.interval, p.by_seed, p.p, adjusted)
        for p, adjusted in zip(found, holm([pair.p for pair in found]))
    ]
