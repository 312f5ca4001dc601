"""Runs that were never trained: random weights that make outputs differ, saved as a run folder."""

from pathlib import Path
from typing import Any

import torch

from building import stirred
from headway.batch import END, Example
from headway.run import Run, RunFolder, build_codecs, build_model
from headway.settings import assignments, resolve
from little import lines

SHAPE: dict[str, Any] = {
    "model.task": "transduce",
    "model.encoder.layers": 2,
    "model.encoder.width": 16,
    "model.encoder.hidden": 24,
    "model.encoder.mixer.heads": 2,
    "data.tokenizer": "character",
    "data.max_length": 20,
    "machine.threads": 1,
    "machine.device": "cpu",
}


def pairs(rows: int = 30, seed: int = 0) -> list[Example]:
    """Words, and the same backwards."""
    return [Example(*line.split("\t")) for line in lines("transduce", rows, seed)]


def untrained(folder: Path, changed: dict[str, Any] | None = None, end: float = 0.0, examples: Any = None) -> Path:
    """A run folder with random weights; `end` is added to the logit of END, so that outputs are shorter or longer."""
    settings = {path: value for path, value in (SHAPE | (changed or {})).items() if value is not None}
    run = resolve(Run, [assignments(settings, "test")])[0]
    codecs = build_codecs(run)
    codecs.fit(examples or pairs())
    model = stirred(build_model(run, codecs), seed=5)
    if run.task == "transduce":
        with torch.no_grad():
            for writer in model.task.writers:
                writer.output_bias[END] += end
    made = RunFolder(folder)
    made.create(run, {}, codecs, {"machine": {}, "data": {}})
    made.keep(dict(model.named_parameters()), 1)
    return folder
