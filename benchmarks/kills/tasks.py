"""Three little trainings in which everything takes part that a resume has to bring back.

tag          parts side by side, a Muon optimizer, dropout, words that are dropped
transduce    an autoregressive decoder, AdamW, dropout
joint        the same with a ctc draft beside it, and several batches an update
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORDS = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen"]
ROWS = {"train": 60, "valid": 12, "test": 12}
SETTINGS: dict[str, Any] = {
    "model.encoder.layers": 1,
    "model.encoder.width": 16,
    "model.encoder.hidden": 24,
    "model.encoder.mixer.heads": 2,
    "model.encoder.dropout": 0.1,
    "training.steps": 24,
    "training.tokens": 90,
    "training.learning_rate": 0.01,
    "training.evaluate_every": 6,
    "training.patience": 50,
    "training.average": 0.2,
    "machine.threads": 1,
    "machine.device": "cpu",
}
TASKS: dict[str, dict[str, Any]] = {
    "tag": {
        "model.input.buckets": 97,
        "model.input.word_dropout": 0.1,
        "training.optimizer": "muon",
        "machine.parts": 2,
    },
    "transduce": {},
    "joint": {"model.task.draft": "ctc", "training.groups": 2},
}
"""What each changes of `SETTINGS`."""


def settings(task: str) -> dict[str, Any]:
    return SETTINGS | TASKS[task]


def data(task: str, folder: Path) -> Path:
    """A folder with the parts of a data set: tags are first letters, new sequences are the old ones backwards."""
    folder.mkdir(parents=True)
    ending, line = ("slash", _tagged) if task == "tag" else ("tsv", _reversed)
    for part, rows in ROWS.items():
        _write(folder / f"{part}.{ending}", line, rows, random.Random(f"{task} {part}"))
    return folder


def _write(path: Path, line: Callable[[random.Random], str], rows: int, chance: random.Random) -> None:
    path.write_text("".join(line(chance) + "\n" for _ in range(rows)))


def _tagged(chance: random.Random) -> str:
    return " ".join(f"{word}/{word[0].upper()}" for word in chance.choices(WORDS, k=chance.randint(2, 7)))


def _reversed(chance: random.Random) -> str:
    word = "".join(chance.choices("abcdefgh", k=chance.randint(2, 6)))
    return f"{word}\t{word[::-1]}"
