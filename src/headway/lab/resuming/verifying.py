"""Four processes that train the same: left alone, killed, killed again, resumed to the end."""

import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from headway import storage
from headway.errors import HeadwayError, RunError
from headway.lab.resuming.differences import Check, checks
from headway.lab.resuming.task import KILLED, Part, Task
from headway.machine import how_ended

SECONDS = 12.0
"""Of training, for the run that is left alone: with the start of four processes all takes about a minute."""


@dataclass(frozen=True)
class Findings:
    """What was made, and whether it was the same.

    updates    of the run that was left alone; `every` so many there was an evaluation and a checkpoint
    steps      of the whole training, of which these are the first
    kills      in words
    """

    updates: int
    every: int
    steps: int
    kills: Sequence[str]
    checks: Sequence[Check]

    @property
    def equal(self) -> bool:
        return all(check.difference is None for check in self.checks)


def verify_resume(task: Task, beside: Path | None = None, say: Callable[[str], object] = lambda line: None) -> Findings:
    """Train the first updates of a training left alone and killed, and compare.

    beside    a folder for what is written, which is removed in the end; the system's for temporary files without one

    Raises what the training itself would raise, as a HeadwayError with its exit code.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".verify-resume-", dir=beside) as name:
            return _Verifying(task, Path(name), say).verify()
    except OSError as error:
        raise RunError(f"{beside or tempfile.gettempdir()} cannot be written in: {error.strerror or error}") from error


class _Verifying:
    def __init__(self, task: Task, folder: Path, say: Callable[[str], object]):
        self.task, self.folder, self.say = task, folder, say
        self.records: list[Path] = []

    def verify(self) -> Findings:
        self.say(f"training left alone, for about {self.task.seconds:.0f} s and its evaluations")
        whole = self.folder / "whole"
        self._run("whole", replace(self.task, out=str(whole)))
        part = Part(**storage.read_json(self.folder / "whole.part"))
        self.records.clear()
        killed = replace(self.task, out=str(self.folder / "killed"), part=asdict(part))
        kills = []
        for where, step in _moments(part):
            kills.append(f"in update {step + 1:,}" if where == "update" else f"in the checkpoint of update {step:,}")
            self.say(f"the same, {'resumed and ' if len(kills) > 1 else ''}killed {kills[-1]}")
            self._run(f"killed-{len(kills)}", replace(killed, die_in=where, die_at=step), KILLED)
        self.say("the same, resumed and left alone")
        self._run("resumed", killed)
        found = checks(whole, self.folder / "killed", self.folder / "whole.updates", self.records)
        return Findings(part.updates, part.every, part.steps, kills, found)

    def _run(self, name: str, task: Task, expected: int = 0) -> None:
        """One process. Raises HeadwayError where it ends otherwise than expected."""
        task = replace(task, told=str(self.folder / name), cache=task.cache or str(self.folder / "prepared"))
        storage.write_json(self.folder / f"{name}.task", asdict(task))
        command = [sys.executable, "-m", "headway.lab.resuming.process", str(self.folder / f"{name}.task")]
        with open(self.folder / f"{name}.log", "w+", encoding="utf-8", errors="replace") as log:
            code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode
            log.seek(0)
            said = log.read().strip()
        self.records.append(self.folder / f"{name}.updates")
        if code != expected:
            error = HeadwayError(said or how_ended(code))
            error.exit_code = code if code in (2, 3) else 1
            raise error


def _moments(part: Part) -> list[tuple[str, int]]:
    """Where the training is killed: in an update after the first checkpoint, then while a later one is written."""
    later = range(min(part.every, part.updates - 1), min(2 * part.every, part.updates))
    moments = [("update", random.choice(later))]
    if 2 * part.every <= part.updates:
        moments.append(("checkpoint", 2 * part.every))
    return moments
