"""Tiny data sets and tiny models, trained in less than half a second, for what only a whole run can show.

Each question has a rule that a person sees at once: tags are first letters, classes hang on one word, numbers count
the word `tick`, and new sequences are the old ones backwards.
"""

import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from headway.experiment import train
from headway.outcome import Outcome
from headway.run import RunFolder
from headway.training.events import Listener, read_events
from headway.training.loop import Trainer

WORDS = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen"]
TASKS = ("tag", "classify", "regress", "transduce")
TINY: dict[str, Any] = {
    "model.encoder.layers": 1,
    "model.encoder.width": 16,
    "model.encoder.hidden": 24,
    "model.encoder.mixer.heads": 2,
    "model.encoder.dropout": 0.0,
    "training.steps": 12,
    "training.tokens": 150,
    "training.evaluate_every": 4,
    "machine.threads": 1,
    "machine.device": "cpu",
}
HASHED = {"model.input.buckets": 257}
"""For the recipes whose input has hashed n-grams."""


def sentence(chance: random.Random, least: int = 2, most: int = 7) -> list[str]:
    return [chance.choice(WORDS) for _ in range(chance.randint(least, most))]


def tagged(chance: random.Random) -> str:
    return " ".join(f"{word}/{word[0].upper()}" for word in sentence(chance))


def judged(chance: random.Random) -> str:
    label = chance.choice(["pos", "neg"])
    words = [*sentence(chance), "good" if label == "pos" else "bad"]
    chance.shuffle(words)
    return f"{' '.join(words)}\t{label}"


def counted(chance: random.Random) -> str:
    ticks = chance.randint(0, 4)
    words = sentence(chance) + ["tick"] * ticks
    chance.shuffle(words)
    return f"{' '.join(words)}\t{ticks}.5"


def reversed_(chance: random.Random) -> str:
    word = "".join(chance.choice("abcdefgh") for _ in range(chance.randint(2, 6)))
    return f"{word}\t{word[::-1]}"


def labelled(chance: random.Random) -> str:
    words = sentence(chance)
    return json.dumps({"text": " ".join(words), "labels": sorted({w.upper() for w in words if w[0] in "abc"})})


ROWS: dict[str, tuple[str, Callable[[random.Random], str]]] = {
    "tag": ("slash", tagged),
    "classify": ("tsv", judged),
    "several": ("jsonl", labelled),
    "regress": ("tsv", counted),
    "transduce": ("tsv", reversed_),
}
"""What is asked, the ending of its files, and how a line is made."""


def lines(asked: str, rows: int, seed: int = 0) -> list[str]:
    chance = random.Random(f"{asked} {seed}")
    return [ROWS[asked][1](chance) for _ in range(rows)]


def write(path: Path, rows: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def data(asked: str, folder: Path, rows: int = 40) -> Path:
    """A folder with train, valid and test parts."""
    for seed, (part, count) in enumerate({"train": rows, "valid": 12, "test": 12}.items()):
        write(folder / f"{part}.{ROWS[asked][0]}", lines(asked, count, seed))
    return folder


def tiny(asked: str, changed: dict[str, Any] | None = None) -> dict[str, Any]:
    """Settings of a model that trains at once."""
    return TINY | ({} if asked == "transduce" else HASHED) | (changed or {})


def options(settings: dict[str, Any]) -> Iterator[str]:
    """The same on the command line."""
    for path, value in settings.items():
        yield from (f"--{path}", str(value))


def quick(*arguments: Any, **named: Any) -> Outcome:
    """`headway.train` without the page and the baselines, which have tests of their own."""
    with patch.multiple("headway.outcome", write_report=lambda *_: None, baselines_for=lambda *_, **__: []):
        return train(*arguments, **named)


WRITERS: dict[str, dict[str, Any]] = {
    "joint": {"model.task.draft": "ctc"},
    "at_once": {"model.task.decoder": "ctc"},
}
"""Runs of `transduce` with other writers."""


class Runs:
    """Runs that many tests read and none changes, trained when they are first asked for."""

    def __init__(self, folder: Path):
        self.folder = folder

    def data(self, asked: str) -> Path:
        path = self.folder / f"{asked}-data"
        return path if path.exists() else data(asked, path)

    def __call__(self, asked: str, seed: int = 0) -> Path:
        """The folder of a run of this kind."""
        path = self.folder / f"{asked}-{seed}"
        if not path.exists():
            kind, changed = ("transduce", WRITERS[asked]) if asked in WRITERS else (asked, {})
            quick(self.data(kind), path, seed=seed, settings=tiny(kind, {"training.learning_rate": 0.02} | changed))
        return path

    def copy(self, asked: str, to: Path) -> Path:
        """A copy that a test may change."""
        return Path(shutil.copytree(self(asked), to))


class Hears(Listener):
    """Keeps what was said, and does something after an update."""

    def __init__(self, after: Callable[[Trainer, int], None] | None = None):
        self.sentences: list[str] = []
        self.after = after
        self.trainer: Trainer | None = None

    def prepared(self, trainer: Trainer) -> None:
        self.trainer = trainer

    def said(self, text: str) -> None:
        self.sentences.append(text)

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        if self.after is not None and self.trainer is not None:
            self.after(self.trainer, step)

    @property
    def text(self) -> str:
        return "\n".join(self.sentences)


def train_and(after: Callable[[Trainer, int], None], *arguments: Any, **named: Any) -> Outcome:
    """`quick`, where `after(trainer, step)` is called after every update."""
    hears = Hears(after)
    return quick(*arguments, listener=hears, prepared=hears.prepared, **named)


def stopped_after(step: int, *arguments: Any, **named: Any) -> Outcome:
    """`quick`, stopped from outside after that many updates."""
    return train_and(lambda trainer, now: trainer.stop.set() if now == step else None, *arguments, **named)


def weights(run: Path) -> dict[str, Tensor]:
    """The best weights of a run, by name."""
    return {name: weight.detach() for name, weight in RunFolder(run).load()[2].named_parameters()}


def same_weights(first: Path, second: Path) -> bool:
    """Whether the best weights of two runs are the same, bit by bit."""
    one, other = weights(first), weights(second)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def events(run: Path) -> list[dict[str, Any]]:
    """The log of a run without what clocks say, and without the lines that say that it was started."""
    clocks = {"seconds", "tokens_per_second", "baselines", "peak_memory"}
    found = [{k: v for k, v in event.items() if k not in clocks} for event in read_events(run / "metrics.jsonl")]
    return [event for event in found if event["event"] != "start"]
