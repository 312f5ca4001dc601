"""`compare`: a fair comparison on a user's own data, cell by cell, stored as it goes, and gone on with."""

import shlex
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headway import storage
from headway.data.index import fingerprint
from headway.errors import UsageError
from headway.lab.compare.axes import Axis, arms_of, check_axes
from headway.lab.compare.budget import Budget, seconds_of
from headway.lab.compare.cells import FORMAT, Cell, placed
from headway.lab.compare.examine import Examined, examined
from headway.lab.compare.flops import COUNTED_BY
from headway.lab.compare.results import Results, results_of
from headway.lab.compare.running import Processes, Watcher
from headway.lab.compare.trials import LADDER, SHARE, at_the_edge, chosen, climbed, trials, with_rate
from headway.lab.compare.writing import write_results
from headway.machine import cores
from headway.planning import Plan, plan
from headway.preparation import Preparing
from headway.settings import Assignment, assignments
from headway.version import __version__

READING = ("data.", "model.input")
"""Axes along which arms read the data differently."""
PREPARED = "prepared"
"""The folder in a comparison for a training part too large for memory."""


def compare(
    data: Path | str | None,
    axes: Mapping[str, Sequence[Any]] | Sequence[Axis],
    out: Path | str = "comparison",
    *,
    seeds: int = 3,
    time: float | int | str | None = None,
    tokens: int | None = None,
    steps: int | None = None,
    tune_learning_rate: bool = False,
    jobs: int = 1,
    recipe: str | None = None,
    config: Path | str | None = None,
    settings: Sequence[Assignment] | Mapping[str, Any] = (),
    watch: Watcher | None = None,
    stop: threading.Event | None = None,
    command: str | None = None,
) -> Results:
    """Train every combination of values with every seed, measure all on the same items, and say what differs.

    data                  as for `train`
    axes                  {"model.encoder.mixer": ["attention", "convolution"]}; several give their grid
    out                   the folder of the comparison; one that was begun is gone on with
    seeds                 trainings of each arm, with machine.seed and those that follow it
    time, tokens, steps   the budget of each cell: training time (seconds, 5m), or tokens, or updates; at most one
    tune_learning_rate    choose each arm's learning rate first, by a ladder of short trainings on the valid part
    jobs                  cells that are trained side by side, with one thread each where there are several
    watch                 hears of progress
    stop                  set from outside, it saves and ends; what is finished is returned
    command               the command line that makes it, for the page

    Raises UsageError, DataError, RunError, and HeadwayError of a cell that failed.
    """
    if not isinstance(axes, Mapping):
        axes = {axis.path: axis.values for axis in axes}
    given = assignments(settings, "given") if isinstance(settings, Mapping) else list(settings)
    for name, number in (("seeds", seeds), ("jobs", jobs)):
        if number < 1:
            raise UsageError(f"--{name} must be at least 1, and is {number}")
    if jobs > 1 and all(one.path != "machine.threads" for one in given):
        given.append(Assignment("machine.threads", 1, f"--jobs {jobs}"))
    asked = Asked(
        str(data) if data is not None else None,
        [Axis(path, tuple(values)) for path, values in axes.items()],
        Path(out),
        seeds,
        Budget(seconds_of(time), tokens, steps),
        tune_learning_rate,
        jobs,
        command or shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    )
    with storage.work_folder(asked.out, "compare", ["plan.json"], ["cells", "trials", PREPARED]):
        comparison = Comparison(asked, recipe, config, given, watch or Watcher(), stop or threading.Event())
        return comparison.run()


@dataclass(frozen=True)
class Asked:
    """What the user asked for, beside settings."""

    data: str | None
    axes: Sequence[Axis]
    out: Path
    seeds: int
    budget: Budget
    tune: bool
    jobs: int
    command: str


class Comparison:
    """One comparison: planned and examined when it is made, then run."""

    def __init__(
        self,
        asked: Asked,
        recipe: str | None,
        config: Path | str | None,
        given: Sequence[Assignment],
        watch: Watcher,
        stop: threading.Event,
    ):
        self.asked, self.watch, self.said = asked, watch, list[str]()
        check_axes(asked.axes, given)
        asked.budget.check(given)
        if asked.tune and any(axis.path == "training.learning_rate" for axis in asked.axes):
            raise UsageError("training.learning_rate is an axis, and --tune-learning-rate chooses it; leave one out")
        below = [one for one in given if any(one.path.startswith(f"{axis.path}.") for axis in asked.axes)]
        preparing = Preparing(asked.out / PREPARED, workers=cores(), hear=watch.said)
        alike = not any(axis.path.startswith(READING) for axis in asked.axes)  # else each cell prepares its own
        settings = [one for one in given if one not in below]
        made = plan(asked.data, recipe, config, settings, preparing=preparing if alike else None)
        self.data = asked.data if made.index is None else str(made.index.folder)  # one preparation for all cells
        arms = arms_of(made.run, made.origins, asked.axes, below)
        self.budget_words = asked.budget.words(made.run)
        self._describe_data(made)
        self.first_seed = made.run.machine.seed
        self.seeds = [self.first_seed + number for number in range(asked.seeds)]
        self.arms = list(examined(made, arms))
        self._say_what_differs(made)
        self.ladders: dict[str, list[Cell]] = {}
        self.cells: list[Cell] = []
        self.processes = Processes(asked.jobs, watch, stop, lambda cell: self._write())

    # ------------------------------------------------------------------------------------------------------- planning

    def _describe_data(self, made: Plan) -> None:
        found = made.data
        self.part = "test" if "test" in found else "valid"
        if self.part not in found:
            raise UsageError(
                "there is neither a test nor a valid part, so there is nothing to compare by: --data.test FILE"
            )
        if self.asked.tune and "valid" not in found:
            raise UsageError("--tune-learning-rate chooses by the valid part, and there is none: --data.valid FILE")
        parts = {name: found.examples(name) for name in ("valid", "test") if name in found}
        self.prints = {"train": made.fingerprint, **{name: fingerprint(rows) for name, rows in parts.items()}}
        self.about_data = {
            "path": self.asked.data,
            "how": found.parts.how,
            "part": self.part,
            "fingerprints": self.prints,
            "counts": {"train": made.count, **{name: len(rows) for name, rows in parts.items()}},
            "task": made.run.task,
        }
        for sentence in made.said:
            self._say(sentence)

    def _say_what_differs(self, made: Plan) -> None:
        """What is not equal for all arms, and what was dropped."""
        if self.part == "valid":
            self._say(
                "There is no test part, so arms are compared on the valid part, by which their best weights were "
                "chosen, too: figures are a little too good for all of them"
            )
        if not self.asked.budget.fills_time:
            self._say(f"The budget is {self.budget_words}; the time that it takes differs (--time 5m equals it)")
        for axis in self.asked.axes:
            if axis.path.startswith(READING):
                self._say(f"Arms read the text differently ({axis.path}), so their tokens are not the same tokens")
            if axis.path.startswith("training.tokens") and self.asked.budget.steps is not None:
                self._say("Updates of different size see a different number of tokens: --tokens N equals it")
        for one in self.arms:
            if one.arm.dropped:
                self._say(f"{one.arm.name} has no place for {', '.join(one.arm.dropped)}: dropped there")

    def _say(self, sentence: str) -> None:
        self.said.append(sentence)
        self.watch.said(sentence)

    # -------------------------------------------------------------------------------------------------------- running

    def run(self) -> Results:
        """Train what is not finished; what is finished is written after every cell."""
        if self.asked.tune and not self._tuned():
            self._write()
            return results_of(self.asked.out)
        cells = [self._cell(one, seed) for seed in self.seeds for one in self.arms]
        cells[0] = replace(cells[0], baselines=True)
        self.cells = placed(cells, self.asked.out / "cells")
        self._write()
        self._all(self.cells)
        return results_of(self.asked.out)

    def _tuned(self) -> bool:
        """Whether every arm has its learning rate."""
        within = self.asked.out / "trials"
        for one in self.arms:
            rungs = trials(one, self.first_seed, self.asked.budget, within, self.data, self.prints)
            self.ladders[one.arm.name] = placed(rungs, within)
        self._say(
            f"learning rates: for every arm {len(LADDER)} trials ({', '.join(f'{f:g}' for f in LADDER)} × its own), "
            f"each with {SHARE:.0%} of the budget and the first seed, chosen by the valid part"
        )
        self._write()
        if not self._all([cell for rungs in self.ladders.values() for cell in rungs]):
            return False
        self.arms = [self._with_chosen_rate(one) for one in self.arms]
        return True

    def _with_chosen_rate(self, one: Examined) -> Examined:
        rungs = self.ladders[one.arm.name]
        metric = next((name for cell in rungs for name in (cell.result or {}).get("signatures", ())), None)
        ladder = climbed(rungs)
        choice = chosen(ladder, one.arm.name, metric)
        edge = (
            "; it is at the edge of the ladder, and a better one may lie beyond" if at_the_edge(ladder, choice) else ""
        )
        self._say(f"{one.arm.name}: learning rate {choice.rate:g} ({choice.factor:g} × its own){edge}")
        return replace(one, arm=replace(one.arm, run=with_rate(one.arm.run, choice.rate)))

    def _all(self, cells: Sequence[Cell]) -> bool:
        left = [cell for cell in cells if cell.result is None]
        done = len(cells) - len(left)
        self.watch.counted(done, len(cells))
        if done and left:
            self.watch.said(f"{done} of {len(cells)} are finished already and are kept")
        return self.processes.run(left, done)

    def _cell(self, one: Examined, seed: int) -> Cell:
        run = one.arm.run.replace(machine=one.arm.run.machine.replace(seed=seed))
        run = self.asked.budget.given_to(run, one.train)
        folder = self.asked.out / "cells" / f"{one.arm.folder}-{seed}"
        return Cell(folder, one.arm.name, seed, run, self.data, self.prints, self.part)

    # -------------------------------------------------------------------------------------------------------- writing

    def _write(self) -> None:
        """plan.json, and the pages of what is finished."""
        asked = self.asked
        told = {
            "format": FORMAT,
            "version": __version__,
            "command": asked.command,
            "data": self.about_data,
            "axes": {axis.path: list(map(str, axis.values)) for axis in asked.axes},
            "budget": {**vars(asked.budget), "words": self.budget_words},
            "seeds": self.seeds,
            "jobs": asked.jobs,
            "flops": COUNTED_BY,
            "said": self.said,
            "arms": [self._told(one) for one in self.arms],
            "cells": [
                {"arm": cell.arm, "seed": cell.seed, "folder": str(cell.folder.relative_to(asked.out))}
                for cell in self.cells
            ],
        }
        storage.write_json(asked.out / "plan.json", told)
        write_results(results_of(asked.out))

    def _told(self, one: Examined) -> dict[str, Any]:
        ladder = climbed(self.ladders[one.arm.name]) if one.arm.name in self.ladders else []
        return {
            "name": one.arm.name,
            "choices": {path: str(value) for path, value in one.arm.choices.items()},
            "dropped": list(one.arm.dropped),
            "parameters": one.parameters,
            "flops_per_token": one.flops,
            "learning_rate": one.arm.run.training.learning_rate,
            "ladder": [vars(trial) for trial in ladder],
        }
