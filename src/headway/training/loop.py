"""The training loop, all of it visible: batches, updates, evaluations, checkpoints.

Every random number is a function of (seed, step) and every batch of (seed, epoch), so a run that is stopped anywhere
and resumed is the run that was never stopped.
"""

import contextlib
import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headway.batch import Example
from headway.data.batching import Update, Updates, cut, plan
from headway.data.encoding import Codecs, Encoded
from headway.errors import HeadwayError
from headway.model import Model
from headway.search import Search
from headway.training import checkpoint
from headway.training.average import Average
from headway.training.checkpoint import Progress
from headway.training.evaluation import answers, loss_of, measure
from headway.training.events import Listener
from headway.training.optimizers import OPTIMIZERS
from headway.training.replicas import Replicas
from headway.training.schedule import rate_at
from headway.training.settings import MachineSettings, TrainingSettings

EVALUATIONS = 20
SECONDS_BETWEEN_EVALUATIONS = 10
"""Where training is short, there are fewer evaluations than that, so that they do not take its time."""
LOGGED = 200
MOST_PARTS, LEAST_TOKENS = 4, 512
"""Parts of an update that are worked on side by side where the user does not say, and the tokens of each."""
TIME_FOR_UPDATES = 0.88
"""The share of a time limit that is planned for updates; the rest is for evaluations and a machine that slows down."""


@dataclass(frozen=True)
class Examined:
    """Examples that evaluations answer during training, encoded once."""

    examples: Sequence[Example]
    encoded: Encoded


class Trainer:
    """Trains one model on one encoded part.

    keep       takes the averaged weights, the step and whether it is extra, when an evaluation is the best so far
    stop       set from outside, it ends training after the present update, with a checkpoint
    clock      tells the seconds that count for a time limit: those of the wall, unless another is set from outside
    """

    def __init__(
        self,
        model: Model,
        codecs: Codecs,
        train: Encoded,
        valid: Examined,
        settings: tuple[TrainingSettings, MachineSettings],
        device: torch.device,
        folder: Path,
        keep: Callable[[Mapping[str, Tensor], int, bool], None],
        listener: Listener,
    ):
        self.model, self.codecs, self.train, self.valid = model, codecs, train, valid
        self.settings, self.machine = settings
        self.device, self.folder, self.keep, self.listener = device, folder, keep, listener
        self.stop = Event()
        self.clock: Callable[[], float] = time.monotonic
        self.optimizers = OPTIMIZERS.build(self.settings.optimizer).build(model)
        self.progress = Progress(steps=self.settings.steps or 0)
        self.replicas = self._replicas(1)

    # ------------------------------------------------------------------------------------------------------- the loop

    def fit(self, resume_from: Path | None = None) -> Progress:
        """Train until the steps are done, the time is over, patience ends or `stop` is set."""
        self.model.train()
        progress = self._begin(resume_from)
        while progress.step < progress.steps and not self._over():
            updates = self._updates(progress.epoch)
            for number in range(progress.position, len(updates)):
                self._update(updates[number])
                progress.position += 1
                if progress.step % self.every == 0 or progress.step == progress.steps:
                    self._evaluate()
                if progress.step == progress.steps or self._over():
                    break
            if progress.position == len(updates):
                progress.epoch, progress.position = progress.epoch + 1, 0
        self._save()
        if not self.stop.is_set() and progress.evaluated != progress.step:
            self._evaluate(extra=True)
        return progress

    def _begin(self, resume_from: Path | None) -> Progress:
        before = checkpoint.begun(self.folder) if resume_from is None else checkpoint.read_progress(resume_from)
        parts = before.parts if before else self._parts()
        self.replicas = self._replicas(parts)
        steps = before.steps if before else self.settings.steps or self._planned_steps()
        self.average = Average(self.model, self.settings.average, steps)
        if resume_from is not None:
            self.progress = checkpoint.restore(resume_from, self.model, self.optimizers, self.average)
        self.every = self.settings.evaluate_every or max(1, math.ceil(steps / self._evaluations()))
        self.every = before.every or self.every if before else self.every
        self.progress.steps, self.progress.parts, self.progress.every = steps, parts, self.every
        if before is None:
            checkpoint.begin(self.folder, self.progress)
        self.log_every = max(1, steps // LOGGED)
        self._clock = self.clock()
        self.listener.started({"step": self.progress.step, "steps": steps, "evaluate_every": self.every})
        return self.progress

    def _updates(self, epoch: int) -> Updates:
        settings = self.settings
        return plan(self.train.costs, settings.tokens, self.machine.seed, epoch, settings.groups)

    def _over(self) -> bool:
        limit, patience = self.settings.time_limit, self.settings.patience
        if limit is not None and self.progress.seconds >= limit:
            return True
        return self.stop.is_set() or (patience is not None and self.progress.stale >= patience)

    # ------------------------------------------------------------------------------------------------------ one update

    def _update(self, update: Update) -> None:
        progress = self.progress
        torch.manual_seed(seed_of(self.machine.seed, progress.step))
        total, count = self._gradients(update)
        loss = total / max(count, 1.0)
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        torch._foreach_mul_(gradients, 1 / max(count, 1.0))
        norm = norm_of(gradients)
        if not math.isfinite(loss) or not math.isfinite(norm):
            raise HeadwayError(
                f"the loss is {loss:.4g} and its gradient {float(norm):.4g} long at step {progress.step + 1}: training "
                "has diverged. Try a lower training.learning_rate or a longer training.warmup; what was saved before "
                "is intact"
            )
        if self.settings.clip:
            torch.nn.utils.clip_grads_with_norm_(self.model.parameters(), self.settings.clip, norm)
        rate = self._scheduled_rate()
        self._set_rate(rate)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        progress.step += 1
        self.average.update(progress.step)
        tokens = sum(int(self.train.costs[rows].sum()) for rows in update)
        progress.tokens += tokens
        seconds = self._tick()
        if progress.step % self.log_every == 0 or progress.step == progress.steps:
            values = {"loss": loss, "learning_rate": rate, "tokens": progress.tokens, "seconds": progress.seconds}
            self.listener.stepped(progress.step, {**values, "tokens_per_second": tokens / max(seconds, 1e-9)})

    def _gradients(self, update: Update) -> tuple[float, float]:
        """Sum the gradients of the loss's sum over the update's rows; returns (loss sum, count)."""
        number, micro = len(self.replicas.models), self.machine.micro_tokens
        done = self.progress.step / max(self.progress.steps, 1)
        parts = []
        for part in range(number):  # every so many rows: of each length the same number in every part
            batches = [rows[part::number] for rows in update if len(rows) > part]
            if micro:
                batches = [few for rows in batches for few in cut(rows, self.train.costs, micro)]
            made = [self.train.batch(r, self.codecs.source, self.model.task).to(self.device) for r in batches]
            made = [replace(batch, progress=done) for batch in made]
            parts.append((made, seed_of(self.machine.seed, self.progress.step, part)))
        return self.replicas.gradients(parts)

    def _replicas(self, parts: int) -> Replicas:
        module: Any = torch.compile(self.model) if self.machine.compile else self.model
        return Replicas(module, parts, lambda: precision(self.machine, self.device))

    def _parts(self) -> int:
        """Parts side by side: those asked for, or what the threads and the size of an update make sensible."""
        if self.device.type != "cpu" or self.machine.compile:
            return 1
        return self.machine.parts or max(
            1, min(torch.get_num_threads(), MOST_PARTS, self.settings.tokens // LEAST_TOKENS)
        )

    def _scheduled_rate(self) -> float:
        step, steps, warmup = self.progress.step, self.progress.steps, self.settings.warmup
        warmup = round(warmup * steps) if warmup < 1 else int(warmup)
        return self.settings.learning_rate * rate_at(self.settings.schedule, step, steps, warmup)

    def _set_rate(self, rate: float) -> None:
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * group["scale"]

    def _tick(self) -> float:
        """Seconds since the last tick, added to the progress."""
        now = self.clock()
        seconds, self._clock = now - self._clock, now
        self.progress.seconds += seconds
        return seconds

    # --------------------------------------------------------------------------------------- evaluations, checkpoints

    def _evaluate(self, extra: bool = False) -> None:
        """Answer the valid part with the averaged weights; keep them where they are the best.

        extra    where a time limit stops: a run that goes on with more time knows nothing of it
        """
        progress = self.progress
        with self.average.in_place():
            values, better = self._measure()
            best = better or not self.valid.examples
            if best:
                self.keep(dict(self.model.named_parameters()), progress.step, extra)
        self._tick()
        progress.evaluated = progress.step
        if best:
            progress.best_step, progress.stale = progress.step, 0
        else:
            progress.stale += 1
        self.listener.evaluated(progress.step, {**values, "seconds": progress.seconds}, best)
        if not extra:
            self._save()
        self._tick()

    def _measure(self) -> tuple[dict[str, float], bool]:
        """(metrics of the valid part by name, whether the first is the best so far)."""
        valid, budget = self.valid, self.settings.tokens
        if not valid.examples:
            return {}, False
        with precision(self.machine, self.device):
            found = answers(self.model, self.codecs, valid.encoded, valid.examples, Search(), budget, self.device)
            loss = loss_of(self.model, self.codecs, valid.encoded, budget, self.device)
        metrics = measure(self.model.task.metrics, found, valid.examples)
        values = {name: metric.value() for name, metric in metrics.items()}
        first = next(iter(metrics.values()))
        now, best = values[self.model.task.metrics[0]], self.progress.best
        better = best is None or (now > best if first.higher_is_better else now < best)
        if better:
            self.progress.best = now
        return {**values, "loss": loss}, better

    def _save(self) -> None:
        state = (self.progress, self.model, self.optimizers, self.average)
        checkpoint.save(self.folder, *state, more=self.listener.saving)

    def _evaluations(self) -> int:
        limit = self.settings.time_limit
        return EVALUATIONS if limit is None else min(EVALUATIONS, max(3, int(limit // SECONDS_BETWEEN_EVALUATIONS)))

    def _planned_steps(self) -> int:
        """Those of all epochs, or as many as fit into the time limit if that is less."""
        epochs, limit = self.settings.epochs, self.settings.time_limit
        if epochs is None and limit is None:
            raise HeadwayError("training needs training.steps, training.epochs or training.time_limit")
        wanted = None if epochs is None else max(1, epochs * len(self._updates(0)))
        fitting = None if limit is None else self._steps_in_time(limit)
        return min(steps for steps in (wanted, fitting) if steps is not None)

    def _steps_in_time(self, limit: float) -> int:
        """As many updates as fit into so many seconds, from the measured time of some batches of the first epoch."""
        measured: list[float] = []
        begin = self.clock()
        torch.manual_seed(self.machine.seed)
        for update in self._updates(0)[:50]:
            start = self.clock()
            self._gradients(update)
            self._set_rate(0.0)
            for optimizer in self.optimizers:
                optimizer.step()
            measured.append(self.clock() - start)
            if self.clock() - begin > 0.02 * limit and len(measured) >= 4:
                break
        measured = measured[1:] or measured  # the first pays for what is set up once
        self.model.zero_grad(set_to_none=True)
        self.optimizers = OPTIMIZERS.build(self.settings.optimizer).build(self.model)
        self.progress.seconds += self.clock() - begin
        return max(1, int(TIME_FOR_UPDATES * limit / float(np.mean(measured))))


def seed_of(seed: int, step: int, part: int = 0) -> int:
    """The seed of the randomness of one part of an update."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {step} {part}".encode(), digest_size=7).digest(), "big")


def norm_of(gradients: list[Tensor]) -> Tensor:
    """The length of all gradients together."""
    return torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))


def precision(machine: MachineSettings, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """How matrix products are computed inside: bfloat16 by autocast, otherwise as torch is set."""
    if machine.precision == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()
