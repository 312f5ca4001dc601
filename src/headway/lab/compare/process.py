"""The process of one cell: `python -m headway.lab.compare.process FOLDER` trains, answers, measures, writes cell.json.

It is a process of its own so that its peak of memory is its own. It tells what happens as a line of JSON each on
standard output, saves and ends when it reads a word on standard input, and ends at once when its input ends, as it does
when whoever started it has died: two processes never train in one folder.
"""

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headway import storage
from headway.batch import Answer, Example
from headway.data.loading import open_data
from headway.errors import HeadwayError, RunError
from headway.experiment import load, train
from headway.lab.compare.bootstrap import resampled
from headway.lab.compare.cells import FORMAT, Cell
from headway.machine import description, peak_memory
from headway.outcome import Outcome
from headway.report.grades import grades
from headway.settings import dump
from headway.training.events import Listener, read_events
from headway.training.loop import Trainer
from headway.version import __version__

STOPPED = 130
"""The exit code of a cell that was asked to stop and can be gone on with."""
EVERY = 0.2
"""Seconds between two lines about updates."""


def main(folder: Path) -> int:
    """Do what task.json says; the exit code."""
    stop = threading.Event()
    threading.Thread(target=_obey, args=(stop,), daemon=True).start()
    try:
        cell = Cell.read(folder)
        return train_and_measure(cell, Told(folder), stop)
    except HeadwayError as error:
        tell("failed", message=str(error))
        return error.exit_code


def tell(event: str, **values: Any) -> None:
    """A line for whoever started this process."""
    sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
    sys.stdout.flush()


def _obey(stop: threading.Event) -> None:
    while os.read(0, 1024):
        stop.set()
    os._exit(1)  # at once and anywhere: files are whole or not there


class Told(Listener):
    """Passes on what happens, and keeps the peak of memory over all sessions of a cell that was interrupted."""

    def __init__(self, folder: Path):
        self.peak, self.last = folder / "peak.json", 0.0

    def started(self, facts: Mapping[str, Any]) -> None:
        tell("started", **facts)

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        if time.monotonic() - self.last >= EVERY:
            self.last = time.monotonic()
            tell("step", step=step, **values)

    def evaluated(self, step: int, values: Mapping[str, float], best: bool) -> None:
        storage.write_json(self.peak, self.peak_so_far())
        tell("valid", step=step, best=best, values=values)

    def peak_so_far(self) -> int | None:
        """Bytes that any process of this cell has held at most; None where the system does not say."""
        before = storage.read_json(self.peak) if self.peak.is_file() else None
        return max([each for each in (before, peak_memory()) if each is not None], default=None)


def train_and_measure(cell: Cell, told: Told, stop: threading.Event) -> int:
    """Train to the end, or from where it stopped; then write cell.json. A training that diverges has a result, too."""

    def prepared(trainer: Trainer) -> None:
        trainer.stop = stop
        if trainer.device.type == "cpu" and torch.get_num_threads() == 1:
            trainer.clock = time.process_time  # of a core, so that a busy machine takes nothing from one arm alone

    run = cell.folder / "run"
    try:
        outcome = train(
            cell.data,
            run,
            resume=True,
            settings=dump(cell.run),
            listener=told,
            prepared=prepared,
            baselines=cell.baselines,
        )
    except HeadwayError as error:
        if type(error) is not HeadwayError:  # what is wrong with the folder, the settings or the data is no result
            raise
        _write(cell, {"failed": str(error)})
        return 0
    if outcome.stopped:
        return STOPPED
    tell("measuring")
    found = _trained(cell, outcome, told.peak_so_far())
    _write(cell, found | (_measured(cell) if cell.part is not None else {}))
    shutil.rmtree(run / "checkpoints", ignore_errors=True)  # a finished cell goes on nowhere
    return 0


def _write(cell: Cell, found: Mapping[str, Any]) -> None:
    about = {
        "format": FORMAT,
        "version": __version__,
        "arm": cell.arm,
        "seed": cell.seed,
        "fingerprint": cell.fingerprint,
        "data": dict(cell.prints),
        "part": cell.part,
        "machine": description(),
    }
    content = json.dumps({**about, **found}, ensure_ascii=False)
    storage.write(cell.folder / "cell.json", content.encode() + b"\n")


def _trained(cell: Cell, outcome: Outcome, peak: int | None) -> dict[str, Any]:
    """What training took and gave, from the outcome and the log."""
    events = read_events(outcome.folder / "metrics.jsonl")
    speeds = [event["tokens_per_second"] for event in events if event["event"] == "step"]
    valid = [event for event in events if event["event"] == "valid"]
    first = next(iter(outcome.metrics["valid"]), None) if outcome.metrics.get("valid") else None
    steps, seconds = outcome.facts["step"], outcome.facts["seconds"]
    return {
        "learning_rate": cell.run.training.learning_rate,
        "metrics": outcome.metrics,
        "signatures": outcome.signatures,
        "baselines": outcome.baselines,
        "facts": {
            "steps": steps,
            "best_step": max([event["step"] for event in valid if event["best"]], default=steps),
            "seconds": seconds,
            "tokens": outcome.facts["tokens"],
            "tokens_per_second": float(np.median(speeds)) if speeds else outcome.facts["tokens"] / max(seconds, 1e-9),
            "parameters": outcome.facts["parameters"],
            "peak_memory": peak,
        },
        "curve": [[event["step"], event["seconds"], event[first]] for event in valid] if first else [],
    }


def _measured(cell: Cell) -> dict[str, Any]:
    """The answers of the part that is compared, item by item and resampled."""
    assert cell.part is not None
    predictor = load(cell.folder / "run")
    settings = cell.run.data.replace(task=cell.run.task)
    data = open_data(Path(cell.data) if cell.data is not None else None, settings)
    examples = [example for example in data.examples(cell.part) if example.target is not None]
    values, _, answers = predictor.evaluate(examples)
    resamples = {name: resampled(name, answers, examples) for name in values}
    return {
        "values": values,
        "items": items_of(examples, answers, list(values)),
        "resampled": {name: {"by": by, "values": found.tolist()} for name, (found, by) in resamples.items()},
    }


def items_of(examples: Sequence[Example], answers: Sequence[Answer], metrics: Sequence[str]) -> dict[str, Any]:
    """Every item's length and score: amounts over weights, as the report's grades have them."""
    graded = grades(examples, answers, metrics)
    if graded is None:
        raise RunError("no item of the part has a known target, so there is nothing to compare by")
    score = graded.scores[0]
    return {
        "count": len(examples),
        "every": graded.every,
        "unit": graded.unit,
        "lengths": graded.lengths.tolist(),
        "score": score.name,
        "percent": score.percent,
        "higher_is_better": score.higher_is_better,
        "amounts": score.amounts.tolist(),
        "weights": score.weights.tolist(),
    }


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
