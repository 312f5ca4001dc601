"""Run folders of which one file is damaged, and what is then done with them."""

import itertools
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.kills import tasks
from benchmarks.kills.children import Child
from benchmarks.kills.equality import differences
from benchmarks.kills.listening import Says, Stops
from headway.experiment import train
from headway.predictor import Predictor

MUTATIONS = ("cut", "bit", "block", "deleted")
FINE = ("refused", "recovered", "not read")
UNREAD = ("report.html", "plan.json", "crossover.json", "results.json")
"""Files that a resume writes anew without reading them: the plan is in every checkpoint."""


def damage(path: Path, how: str, chance: random.Random) -> str:
    """Damage a file; what was done, in words."""
    content = path.read_bytes()
    if how == "deleted" or not content:
        path.unlink()
        return "deleted"
    place = chance.randrange(len(content))
    if how == "cut":
        path.write_bytes(content[:place])
        return f"cut to {place} of {len(content)} bytes"
    if how == "bit":
        bit = chance.randrange(8)
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
        return f"bit {bit} of byte {place} flipped"
    length = min(chance.choice([16, 512, 4096]), len(content) - place)
    path.write_bytes(content[:place] + bytes(length) + content[place + length :])
    return f"{length} bytes from {place} on are zero"


class Subject:
    """A run folder that is damaged again and again, and what is then done with a copy of it."""

    def __init__(self, name: str, folder: Path, base: Path):
        self.name, self.folder, self.base, self.copy = name, folder, base, folder / "copy"
        found = sorted(path.relative_to(base) for path in base.rglob("*") if path.is_file())
        self.files = [path for path in found if path.parts[0] != "tensorboard"]
        self.log = folder / "log"

    def outcome(self, file: Path, how: str, chance: random.Random) -> tuple[str, str]:
        """(refused, recovered, not read, unchanged, silent or crash; what was done to the file)."""
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.base, self.copy)
        done = damage(self.copy / file, how, chance)
        if _same_content(self.copy / file, self.base / file):
            return "unchanged", done
        code, said = self.tried()
        named = file.name in said or (file.parts[0] == "checkpoints" and file.parts[1] in said)
        if code == 1:
            return ("refused" if named else "crash"), f"{done}: {said[-300:]}"
        if code:
            return "crash", f"{done}: {said[-1500:]}"
        if not self.right():
            return "silent", f"{done}: the result is another"
        if named:
            return "recovered", done
        return ("not read" if self.unread(file) else "silent"), done

    def tried(self) -> tuple[int, str]:
        """(exit code, what was said) of what is done with the damaged copy, in a process of its own."""
        child = Child(self.use, self.log)
        code = child.wait()
        return code, child.said

    def use(self) -> None:
        raise NotImplementedError

    def right(self) -> bool:
        """Whether what came out is what would have come out."""
        raise NotImplementedError

    def unread(self, file: Path) -> bool:
        """Whether nothing that is done reads this file."""
        raise NotImplementedError


class Stopped(Subject):
    """A training that was stopped after two evaluations and some updates, and is gone on with."""

    def __init__(self, task: str, folder: Path):
        self.data = tasks.data(task, folder / "data")
        self.settings = tasks.settings(task) | {"training.steps": 9, "training.evaluate_every": 3}
        self.whole = folder / "whole"
        train(self.data, self.whole, settings=self.settings, baselines=False)
        listener = Stops(7)
        train(
            self.data,
            folder / "base",
            settings=self.settings,
            baselines=False,
            listener=listener,
            prepared=listener.prepared,
        )
        super().__init__(f"stopped {task}", folder, folder / "base")

    def use(self) -> None:
        train(self.data, self.copy, resume=True, settings=self.settings, baselines=False, listener=Says())

    def right(self) -> bool:
        older = "checkpoints/step-00000000[0-8]/*"  # a stop leaves one of its own
        return not differences(self.copy, self.whole, but=(older, "checkpoints/plan.json"))

    def unread(self, file: Path) -> bool:
        older = file.parts[0] == "checkpoints" and file.parts[1] == "step-000000006"
        return older or file.name in UNREAD


class Finished(Subject):
    """A finished run, which answers."""

    def __init__(self, task: str, folder: Path):
        data = tasks.data(task, folder / "data")
        settings = tasks.settings(task) | {"training.steps": 9, "training.evaluate_every": 3}
        train(data, folder / "base", settings=settings, baselines=False)
        super().__init__(f"finished {task}", folder, folder / "base")
        self.copy.mkdir()
        shutil.copytree(self.base, self.copy, dirs_exist_ok=True)
        self.tried()
        self.expected = self.answers()

    def use(self) -> None:
        answers = Predictor(self.copy).predict(["ant bee", "abc"])
        (self.folder / "answers").write_text(repr(answers))

    def tried(self) -> tuple[int, str]:
        (self.folder / "answers").unlink(missing_ok=True)
        return super().tried()

    def answers(self) -> str:
        return (self.folder / "answers").read_text()

    def right(self) -> bool:
        return self.answers() == self.expected

    def unread(self, file: Path) -> bool:
        return file.parts[0] == "checkpoints" or file.name in (*UNREAD, "metrics.jsonl", "environment.json")


def _same_content(one: Path, other: Path) -> bool:
    """Whether a file says the same as before, as JSON without its last line break does."""
    if not one.exists():
        return False
    if one.read_bytes() == other.read_bytes():
        return True
    if one.suffix == ".json":
        try:
            return json.loads(one.read_bytes()) == json.loads(other.read_bytes())
        except (ValueError, RecursionError):
            return False
    return False


def damage_many(
    subjects: Sequence[Subject], mutations: int, seed: int, say: Callable[[str], object] = lambda line: None
) -> tuple[dict[tuple[str, str], Counter[str]], list[str]]:
    """(outcomes by subject and file, what is not fine): the files take turns, what nothing reads only the first."""
    chance = random.Random(seed)
    places = [(subject, file) for subject in subjects for file in subject.files]
    chance.shuffle(places)
    read = [(subject, file) for subject, file in places if not subject.unread(file)]
    turns = itertools.chain(places, itertools.cycle(read))
    found: dict[tuple[str, str], Counter[str]] = {}
    wrong: list[str] = []
    number = done = 0
    while done < mutations:
        subject, file = next(turns)
        how = MUTATIONS[(number // len(read) + number) % len(MUTATIONS)]
        number += 1
        outcome, told = subject.outcome(file, how, chance)
        if outcome == "unchanged":
            continue
        done += 1
        found.setdefault((subject.name, str(file)), Counter())[outcome] += 1
        if outcome not in FINE:
            wrong.append(f"{subject.name} {file}: {outcome}: {told}")
            say(wrong[-1])
        if done % 50 == 0:
            say(f"{done} mutations, {len(wrong)} wrong")
    return found, wrong
