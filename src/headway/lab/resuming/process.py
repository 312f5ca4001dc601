"""One process of a verification: the first updates of a training, each noted, and an end that nobody can answer.

python -m headway.lab.resuming.process FILE.task
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from headway import storage
from headway.data.batching import Update
from headway.data.encoding import encode
from headway.errors import HeadwayError
from headway.experiment import train
from headway.lab.resuming.task import KILL, Part, Task
from headway.run import RunFolder
from headway.settings import Assignment
from headway.training.events import Listener
from headway.training.loop import Examined, Trainer

EXAMINED = 48
"""Examples that an evaluation answers, at most."""
EVALUATIONS = 3


class Watched(Listener):
    """Makes a part of a training, and notes the rows and the loss of every update."""

    def __init__(self, task: Task):
        self.task = task
        self.part = Part(**task.part) if task.part is not None else None
        self.updates = Path(f"{task.told}.updates")
        self.updates.write_text("", encoding="utf-8")

    def prepared(self, trainer: Trainer) -> None:
        """Called before the first update is planned."""
        self.trainer, self.gradients = trainer, trainer._gradients
        trainer.valid = self._fewer(trainer.valid)
        if self.part is not None:
            fixed = {"steps": self.part.steps, "evaluate_every": self.part.told}
            trainer.settings = trainer.settings.replace(time_limit=None, patience=None, **fixed)

    def _fewer(self, valid: Examined) -> Examined:
        some = valid.examples[:: max(1, len(valid.examples) // EXAMINED)][:EXAMINED]
        return Examined(some, encode(some, self.trainer.codecs, RunFolder(self.task.out).settings().data))

    def started(self, facts: Mapping[str, Any]) -> None:
        trainer, steps = self.trainer, int(facts["steps"])
        trainer.settings = trainer.settings.replace(time_limit=None, patience=None)
        if self.part is None:
            every = max(1, steps // EVALUATIONS)
            self._fix(Part(steps, trainer.every, every, min(steps, EVALUATIONS * every)))
        assert self.part is not None
        trainer.every = self.part.every
        self.begin = time.monotonic()
        trainer._gradients = self._noted

    def _fix(self, part: Part) -> None:
        self.part = part
        storage.write_json(Path(f"{self.task.told}.part"), asdict(part))

    def _noted(self, update: Update) -> tuple[float, float]:
        step = self.trainer.progress.step
        total, count = self.gradients(update)
        rows = hashlib.sha256(b" ".join(batch.tobytes() for batch in update)).hexdigest()
        with open(self.updates, "a", encoding="utf-8") as file:
            file.write(json.dumps([step, rows, float(total).hex(), float(count).hex()]) + "\n")
        if self.task.die_in == "update" and step == self.task.die_at:
            os.kill(os.getpid(), KILL)
        self._by_the_clock(step + 1)
        return total, count

    def _by_the_clock(self, step: int) -> None:
        """Where no part is given: evaluate after a third of the time, and from then on as often."""
        part = self.part
        late = time.monotonic() - self.begin > self.task.seconds / EVALUATIONS
        if part is not None and self.task.part is None and late and step < part.every:
            self._fix(Part(part.steps, part.told, step, EVALUATIONS * step))
            self.trainer.every = step

    def saving(self, folder: Path) -> None:
        if self.task.die_in == "checkpoint" and self.trainer.progress.step == self.task.die_at:
            os.kill(os.getpid(), KILL)

    def evaluated(self, step: int, values: Mapping[str, float], best: bool) -> None:
        if self.part is not None and step >= self.part.updates:
            self.trainer.stop.set()


def main(file: Path) -> int:
    """The exit code of a training; a complaint goes to standard error."""
    try:
        task = Task(**storage.read_json(file))
        watched = Watched(task)
        train(
            task.data,
            task.out,
            recipe=task.recipe,
            config=task.config,
            resume=True,
            start=task.start,
            seed=task.seed,
            settings=[Assignment(*setting) for setting in task.settings],
            listener=watched,
            prepared=watched.prepared,
            baselines=False,
            cache=task.cache,
        )
    except HeadwayError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
