"""Training that leads nowhere: when it is so, and what is kept of the update that showed it."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from headway import storage
from headway.batch import Example, plain
from headway.data.batching import Update
from headway.training.checkpoint import Progress
from headway.training.settings import MachineSettings, TrainingSettings

FAR, LEAST, LONG = 10.0, 10.0, 20
"""A loss of more than FAR times that of the first update (or times LEAST, if that is more), LONG updates on end."""
FILE = "diverged.json"
NAMED = 3
"""Places in the data that are named."""


def trouble(progress: Progress, loss: float, norm: float) -> str | None:
    """What is wrong with the update that has this mean loss and gradient; None where nothing is.

    A model that knows nothing has the loss of the first update; nobody needs one that stays far above that.
    """
    step = progress.step + 1
    if not math.isfinite(loss) or not math.isfinite(norm):
        return f"the loss is {loss:.4g} and its gradient {norm:.4g} long at step {step}"
    if progress.begun is None:
        progress.begun = loss
    most = FAR * max(progress.begun, LEAST)
    progress.worse = progress.worse + 1 if loss > most else 0
    if progress.worse < LONG:
        return None
    return f"the loss is {loss:.4g} at step {step}, above {most:.4g} for {LONG} updates, and began with " + (
        f"{progress.begun:.4g}"
    )


class Kept:
    """The examples of an update that went wrong, with the loss of each batch, and of each row where it is no number.

    example    by its number in the training part, with its place
    loss       the mean loss of some rows with the weights as they are; None where it cannot be found out here
    """

    def __init__(
        self,
        update: Update,
        example: Callable[[int], Example],
        loss: Callable[[NDArray[np.int64]], float] | None,
    ):
        self.update, self.example, self.loss = update, example, loss
        self.rows = {row: value for batch in update for row, value in self._losses(batch)}

    def _losses(self, batch: NDArray[np.int64]) -> Iterator[tuple[int, float | None]]:
        whole = None if self.loss is None else self.loss(batch)
        alone = self.loss is not None and whole is not None and not math.isfinite(whole)
        for row in batch.tolist():
            yield row, self.loss(np.array([row])) if alone and self.loss is not None else None

    @property
    def guilty(self) -> list[int]:
        """Rows whose loss alone is no number, where there are others beside them."""
        found = [row for row, value in self.rows.items() if value is not None and not math.isfinite(value)]
        return found if len(found) < len(self.rows) else []

    def write(self, path: Path, facts: dict[str, Any]) -> None:
        """A readable file: what happened, and every example with its place. Raises RunError."""
        examples = [self._told(row, value) for row, value in self.rows.items()]
        storage.write_json(path, {**facts, "examples": examples})

    def _told(self, row: int, loss: float | None) -> dict[str, Any]:
        example = self.example(row)
        told: dict[str, Any] = {"where": str(example.where)}
        if example.source is not None:
            told |= {"source": plain(example.source), "target": example.target}
        return told if loss is None else {**told, "loss": as_json(loss)}


def as_json(value: float) -> float | str:
    """A number as JSON has it: those that are none by their names."""
    return value if math.isfinite(value) else str(value)


def hint(kept: Kept, model: nn.Module, settings: TrainingSettings, machine: MachineSettings) -> str:
    """What to try, in the order in which it helps."""
    places = [str(kept.example(row).where) for row in kept.guilty[:NAMED]]
    if places:
        more = f" and {len(kept.guilty) - NAMED:,} more" if len(kept.guilty) > NAMED else ""
        return f"Look at {', '.join(places)}{more}: alone they give a loss that is no number, and the others do not"
    tries = [
        f"a lower training.learning_rate (now {settings.learning_rate:g})",
        f"a longer training.warmup (now {settings.warmup:g})",
    ]
    if not settings.clip:
        tries.append("training.clip 1")
    if machine.precision != "float32":
        tries.append(f"machine.precision float32 (now {machine.precision})")
    weights = all(bool(torch.isfinite(p).all()) for p in model.parameters())
    labels = "; if that does not help, look at the examples of this update: wrong labels or numbers far from the others"
    return f"Try {', or '.join(tries)}" + (labels if weights else "; the weights are no numbers any more")
