"""Trainings are begun, killed in a chosen phase at a random moment, resumed, killed again, in the end compared."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.kills import tasks
from benchmarks.kills.children import Child
from benchmarks.kills.equality import differences
from benchmarks.kills.phases import PHASES, Watch
from headway.errors import HeadwayError
from headway.experiment import train
from headway.run import RunFolder

MOST = 5
"""Kills of one training before it may end."""
LONGEST = {"preparation": 0.05, "step": 0.02, "validation": 0.05, "best weights": 0.004, "checkpoint": 0.01, "end": 0.1}
"""Seconds, at most, between the moment that a phase is seen and the kill."""


@dataclass
class Tally:
    """What came of it.

    kills         by task and phase
    compared      trainings that were killed and went on to their end
    differences   from the training that was left alone
    unreadable    folders that could not be loaded, or not be gone on with
    """

    kills: dict[str, Counter[str]] = field(default_factory=dict)
    compared: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(sum(phases.values()) for phases in self.kills.values())


class Killer:
    """Kills the trainings of one task.

    folder    of the data, of the training that is left alone and of those that are not
    changed   settings that are others than the task's
    """

    def __init__(
        self, task: str, folder: Path, chance: random.Random, tally: Tally, changed: Mapping[str, Any] | None = None
    ):
        self.task, self.folder, self.chance, self.tally = task, folder, chance, tally
        self.settings = tasks.settings(task) | dict(changed or {})
        self.data = tasks.data(task, folder / "data")
        self.kills, self.number = tally.kills.setdefault(task, Counter()), 0
        self.whole, self.run = folder / "whole", folder / "run"
        child = self._begin(self.whole)
        if child.wait():
            raise RuntimeError(f"the training that is left alone failed: {child.said}")

    def _begin(self, run: Path) -> Child:
        work = partial(train, self.data, run, resume=True, settings=self.settings, baselines=False)
        return Child(work, self.folder / "log")

    def kill(self) -> None:
        """One kill, in the phase that was hit least; a training that ends before is compared, and another begun."""
        target = min(PHASES, key=lambda phase: (self.kills[phase], self.chance.random()))
        while not self._killed(target):
            self._compare()
        self._readable()
        self.number += 1
        if self.number == MOST:
            self.finish()

    def _killed(self, target: str) -> bool:
        """Whether it could be killed before it ended; what it did then is read from its files."""
        steps, every = self.settings["training.steps"], self.settings["training.evaluate_every"]
        watch = Watch(self.run, every, steps)
        child = self._begin(self.run)
        delay = self.chance.uniform(0, LONGEST[target])
        occurrence = self.chance.randint(1, 3) if target in ("step", "validation", "checkpoint") else 1
        seen, before = 0, ""
        while not child.ended() and seen < occurrence:
            now = watch.phase()
            seen += now == target and now != before
            before = now
            time.sleep(0.001)
        time.sleep(delay)
        if not child.kill():
            if child.code:
                self.tally.unreadable.append(f"{self.task}: cannot be gone on with: {child.said[-500:]}")
                shutil.rmtree(self.run, ignore_errors=True)
            return False
        self.kills[watch.phase()] += 1
        return True

    def _readable(self) -> None:
        """A run folder that has a manifest can be loaded, whenever it was left."""
        if (self.run / "manifest.json").exists():
            try:
                RunFolder(self.run).load()
            except HeadwayError as error:
                self.tally.unreadable.append(f"{self.task}: {error}")

    def finish(self) -> None:
        """Let the present training go on to its end."""
        if self.number:
            child = self._begin(self.run)
            if child.wait():
                self.tally.unreadable.append(f"{self.task}: cannot be gone on with: {child.said[-500:]}")
            self._compare()

    def _compare(self) -> None:
        if self.number and self.run.exists():
            self.tally.compared[self.task] += 1
            self.tally.differences += [f"{self.task}: {line}" for line in differences(self.run, self.whole)]
        self.number = 0
        shutil.rmtree(self.run, ignore_errors=True)


def kill_many(
    names: Sequence[str],
    kills: int,
    seed: int,
    folder: Path,
    say: Callable[[str], object] = lambda line: None,
    changed: Mapping[str, Any] | None = None,
) -> Tally:
    """So many kills, in turns of the tasks."""
    tally, chance = Tally(), random.Random(seed)
    killers = [Killer(name, folder / name, chance, tally, changed) for name in names]
    for number in range(kills):
        killers[number % len(killers)].kill()
        if (number + 1) % 10 == 0:
            found = f"{len(tally.differences)} differences, {len(tally.unreadable)} unreadable"
            say(f"{number + 1} kills, {sum(tally.compared.values())} trainings compared, {found}")
    for killer in killers:
        killer.finish()
    return tally
