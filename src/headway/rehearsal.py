"""A dry run: what a training would take, measured on a few of its updates. Nothing is written.

Memory is estimated part by part and measured beside it; time is that of some updates of the first epoch, by their
padded tokens, carried over to all of them.
"""

import math
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headway.data.batching import Update, cut, padding_share
from headway.data.encoding import encode
from headway.experiment import Experiment
from headway.machine import cores, give_memory_back, peak_memory
from headway.planning import plan
from headway.preparation import Preparing
from headway.run import RunFolder
from headway.settings import Assignment, assignments
from headway.training.average import Average
from headway.training.events import Listener
from headway.training.loop import Examined, Trainer
from headway.training.memory import keeping
from headway.training.replicas import Replicas

SECONDS = 10.0
"""How long updates are measured, where they are short enough for several."""
LEAST = 3
"""Updates that are measured at least, where there are so many."""
ANSWERED = 64
"""Examples of the valid part that are answered to measure an evaluation."""


@dataclass(frozen=True)
class Rehearsal:
    """What a training would take.

    parameters   by part of the model
    memory       bytes by what they are for: gradients, optimizer, average, activations (of the largest update) and
                 working space
    program      bytes that the program, the data and the model take before the first update; 0 where nobody knows
    peak         bytes that were held at most while updates were made; None where the machine does not say
    updates      of an epoch
    steps        of the whole training
    padding      the share of all tokens that is padding
    measured     updates that were made
    update       seconds of an update, the mean over an epoch
    evaluations  how many there will be, and the seconds of one
    may_shrink   whether an evaluation takes less once the model has learned where a sequence ends
    """

    parameters: dict[str, int]
    memory: dict[str, int]
    program: int
    peak: int | None
    updates: int
    steps: int
    padding: float
    measured: int
    update: float
    evaluations: tuple[int, float]
    may_shrink: bool

    @property
    def epoch(self) -> float:
        """Seconds of an epoch."""
        return self.updates * self.update

    @property
    def total(self) -> float:
        """Seconds of the training, evaluations among them."""
        return self.steps * self.update + math.prod(self.evaluations)

    @property
    def estimate(self) -> int:
        """Bytes that the training is estimated to take at most."""
        return self.program + sum(self.memory.values())


def rehearse(
    data: Path | str | None = None,
    *,
    recipe: str | None = None,
    config: Path | str | None = None,
    start: Path | str | None = None,
    seed: int | None = None,
    settings: Sequence[Assignment] | Mapping[str, Any] = (),
    listener: Listener | None = None,
    seconds: float = SECONDS,
) -> Rehearsal:
    """Prepare a training as `train` does with the same arguments, make a few updates, and throw them away.

    seconds   how long updates are measured

    Raises UsageError, DataError and RunError, as `train` would.
    """
    given = assignments(settings, "given") if isinstance(settings, Mapping) else list(settings)
    if seed is not None:
        given.append(Assignment("machine.seed", seed, "--seed"))
    hear = listener or Listener()
    with tempfile.TemporaryDirectory() as folder:
        preparing = Preparing(Path(folder) / "prepared", workers=cores(), hear=hear.said)
        made = plan(data, recipe, config, given, start, preparing)
        experiment = Experiment(made, RunFolder(Path(folder) / "run"), hear, baselines=False)
        experiment.prepare(RunFolder(start) if start is not None else None)
        return _Rehearsing(experiment, Path(folder)).rehearse(seconds)


class _Rehearsing(Trainer):
    """The trainer of an experiment, which tries some updates."""

    def __init__(self, experiment: Experiment, folder: Path):
        run = experiment.run
        examples = experiment.examples.get("valid", [])
        self.examined = min(len(examples), run.training.valid_examples)
        some = examples[:: max(1, len(examples) // ANSWERED)][:ANSWERED]
        super().__init__(
            experiment.model,
            experiment.codecs,
            experiment.train,
            Examined(some, encode(some, experiment.codecs, run.data)),
            (run.training, run.machine),
            experiment.device,
            folder,
            lambda *_: None,
            Listener(),
        )

    def rehearse(self, seconds: float) -> Rehearsal:
        """Make some updates, the largest first, and answer some examples."""
        self.model.train()
        self._replicas(self._parts())
        updates = self._updates(0)
        give_memory_back()
        program, known = _memory_now(self.device), _forget_peak(self.device)
        self._begin_here()
        for update in dict.fromkeys((self._largest(updates, 1), self._largest(updates, 2))):
            self._update(updates[update])
        activations = self._activations(updates[self._largest(updates, 2)])
        measured, each = self._timed(updates, seconds)
        return Rehearsal(
            parameters={name: _numbers(part.parameters()) for name, part in self.model.named_children()},
            memory=self._memory(activations),
            program=program,
            peak=_peak(self.device) if known else None,
            updates=len(updates),
            steps=self.progress.steps,
            padding=padding_share(self.train.costs, [rows for update in updates for rows in update]),
            measured=measured,
            update=each,
            evaluations=(-(-self.progress.steps // self.every), self._evaluation()),
            may_shrink=hasattr(self.model.task, "decoder"),
        )

    def _begin_here(self) -> None:
        """What `fit` does before the first step, but for what it writes."""
        steps = self.settings.steps or self._planned_steps()
        self.average = Average(self.model, self.settings.average, steps)
        self.every = self.settings.evaluate_every or max(1, math.ceil(steps / self._evaluations()))
        self.progress.steps, self.log_every = steps, steps
        self._clock = time.monotonic()

    # ---------------------------------------------------------------------------------------------------------- memory

    def _largest(self, updates: Sequence[Update], power: int) -> int:
        """The update with the most padded tokens (power 1), or pairs of tokens that may look at each other (2)."""

        def size(update: Update) -> int:
            return max(len(rows) * int(self.train.costs[rows].max()) ** power for rows in update)

        return max(range(len(updates)), key=lambda number: size(updates[number]))

    def _activations(self, update: Update) -> int:
        """Bytes that are kept for the gradients of the largest batch of every part, all at one time."""
        number, micro = len(self.replicas.models), self.machine.micro_tokens
        whole = Replicas(self.replicas.models[0], 1, self.replicas.precision)
        total = 0
        for part in range(number):
            batches = [rows[part::number] for rows in update if len(rows) > part]
            if micro:
                batches = [few for rows in batches for few in cut(rows, self.train.costs, micro)]
            sizes = []
            for rows in batches:
                kept: dict[int, int] = {}
                with keeping(self.model, kept):
                    batch = self.train.batch(rows, self.codecs.source, self.model.task).to(self.device)
                    whole.gradients([([batch], 0)])
                sizes.append(sum(kept.values()))
            total += max(sizes, default=0)
        self.model.zero_grad(set_to_none=True)
        return total

    def _memory(self, activations: int) -> dict[str, int]:
        """Bytes by what they are for; working space is for gradients of activations and of tables."""
        learned = sum(p.numel() * p.element_size() for p in self.model.parameters() if p.requires_grad)
        states = [
            value
            for optimizer in self.optimizers
            for state in optimizer.state.values()
            for value in state.values()
            if isinstance(value, Tensor)
        ]
        return {
            "gradients": learned * len(self.replicas.models),
            "optimizer": sum(state.numel() * state.element_size() for state in states),
            "average": learned if self.settings.average else 0,
            "activations": activations,
            "working space": activations + learned,
        }

    # ------------------------------------------------------------------------------------------------------------ time

    def _timed(self, updates: Sequence[Update], limit: float) -> tuple[int, float]:
        """(updates made, mean seconds of one over an epoch): some of the first epoch, in its order, by their tokens."""
        tokens = measured = 0
        seconds = 0.0
        for update in updates:
            begin = time.perf_counter()
            self._update(update)
            seconds += time.perf_counter() - begin
            tokens, measured = tokens + self._padded(update), measured + 1
            if (seconds > limit and measured >= LEAST) or seconds > 3 * limit:
                break
        whole = sum(map(self._padded, updates))
        return measured, seconds / tokens * whole / len(updates)

    def _padded(self, update: Update) -> int:
        return sum(len(rows) * int(self.train.costs[rows].max()) for rows in update)

    def _evaluation(self) -> float:
        """Seconds of one evaluation during training."""
        if not self.valid.examples:
            return 0.0
        begin = time.perf_counter()
        with self.average.in_place():
            self._measure()
        return (time.perf_counter() - begin) * self.examined / len(self.valid.examples)


def _numbers(parameters: Any) -> int:
    return sum(parameter.numel() for parameter in parameters)


def _memory_now(device: torch.device) -> int:
    """Bytes that are held now; 0 where nobody knows."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    with suppress(OSError, ValueError, AttributeError):
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        return int(found[1]) * 1024 if found else 0
    return 0


def _forget_peak(device: torch.device) -> bool:
    """Measure the peak anew from now on; whether that is possible here."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return True
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _peak(device: torch.device) -> int | None:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory()
