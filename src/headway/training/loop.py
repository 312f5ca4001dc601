"""The training loop, all of it visible: batches, updates, evaluations, checkpoints.

Every random number is a function of (seed, step) and every batch of (seed, epoch), so a run that is stopped anywhere
and resumed is the run that was never stopped.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headway.batch import Example
from headway.data.batching import Update, Updates, plan
from headway.data.encoding import Codecs, Encoded
from headway.errors import HeadwayError, RunError
from headway.model import Model
from headway.search import Search
from headway.training import checkpoint, divergence
from headway.training.average import Average
from headway.training.checkpoint import Progress
from headway.training.distributed import ALONE, Group
from headway.training.divergence import Kept, as_json, hint, trouble
from headway.training.evaluation import answers, loss_of, measure
from headway.training.events import Listener
from headway.training.gathering import as_plain, in_turns
from headway.training.gradients import Gradients, precision, seed_of
from headway.training.optimizers import OPTIMIZERS
from headway.training.schedule import rate_at
from headway.training.settings import MachineSettings, TrainingSettings
from headway.training.sharding import norm_of, own
from headway.training.splitting import Limit, Limits

EVALUATIONS = 20
SECONDS_BETWEEN_EVALUATIONS = 10
"""Where training is short, there are fewer evaluations than that, so that they do not take its time."""
LOGGED = 200
TIME_FOR_UPDATES = 0.88
"""The share of a time limit that is planned for updates; the rest is for evaluations and a machine that slows down."""


Keep = Callable[[Mapping[str, Tensor], int, bool], None]


@dataclass(frozen=True)
class Examined:
    """Examples that evaluations answer during training, encoded once.

    encoded    of every so many examples, where several processes share them
    """

    examples: Sequence[Example]
    encoded: Encoded


class Trainer(Gradients):
    """Trains one model on one encoded part.

    keep       takes the averaged weights, the step and whether it is extra, when an evaluation is the best so far
    stop       set from outside, it ends training after the present update, with a checkpoint
    clock      tells the seconds that count for a time limit: those of the wall, unless another is set from outside
    group      the processes that train the model together
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
        keep: Keep,
        listener: Listener,
        group: Group = ALONE,
    ):
        super().__init__(model, codecs, train, settings, device, folder, listener, group)
        self.valid, self.keep = valid, keep
        self.whole = model  # with all its weights, where evaluations find them
        self.stop = Event()
        self.stopped = False
        self.clock: Callable[[], float] = time.monotonic

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
        if not self.stopped and progress.evaluated != progress.step:
            self._evaluate(extra=True)
        return progress

    def _begin(self, resume_from: Path | None) -> Progress:
        before = self._before(resume_from)
        parts = before.parts if before else self.group.size * self._parts()
        parts = self.group.size * max(1, parts // self.group.size)
        if before is not None and parts != before.parts:
            self.listener.said(
                f"{before.parts} parts of an update cannot be divided among {self.group.size} processes: it is "
                f"{parts} from here on, and what is dropped is dropped otherwise"
            )
        self._replicas(parts // self.group.size)
        if before is not None:
            self.limits = self._limits()
            if self.group.first:
                (self.folder / divergence.FILE).unlink(missing_ok=True)
        steps = before.steps if before else self.settings.steps or self._planned_steps()
        self.average = Average(self.model, self.settings.average, steps)
        if resume_from is not None:
            self.progress = checkpoint.restore(resume_from, self.model, self.optimizers, self.average)
        self.every = self.settings.evaluate_every or max(1, math.ceil(steps / self._evaluations()))
        self.every = before.every or self.every if before else self.every
        self.progress.steps, self.progress.parts, self.progress.every = steps, parts, self.every
        if before is None and self.group.first:
            checkpoint.begin(self.folder, self.progress)
        self.log_every = max(1, steps // LOGGED)
        self._clock = self.clock()
        self.listener.started({"step": self.progress.step, "steps": steps, "evaluate_every": self.every})
        return self.progress

    def _limits(self) -> Limits:
        """What was learned of memory before, as the first process finds it."""
        found = Limits.read(self.folder, self.listener.said) if self.group.first else Limits(self.folder)
        told = self.group.of_first([asdict(limit) for limit in found.all])
        return Limits(self.folder, [Limit(**each) for each in told])

    def _before(self, resume_from: Path | None) -> Progress | None:
        """What was fixed when the run was begun, as the first process finds it; None where it begins now."""
        found = None
        if self.group.first:
            found = checkpoint.begun(self.folder) if resume_from is None else checkpoint.read_progress(resume_from)
        told = self.group.of_first(found and asdict(found))
        return None if told is None else Progress(**told)

    def _updates(self, epoch: int) -> Updates:
        settings = self.settings
        return plan(self.train.costs, settings.tokens, self.machine.seed, epoch, settings.groups)

    def _over(self) -> bool:
        limit, patience = self.settings.time_limit, self.settings.patience
        seconds = self.progress.seconds if self.group.first else 0.0
        stops, seconds = self.group.added([float(self.stop.is_set()), seconds])
        self.stopped = stops > 0
        if limit is not None and seconds >= limit:
            return True
        return self.stopped or (patience is not None and self.progress.stale >= patience)

    # ------------------------------------------------------------------------------------------------------ one update

    def _update(self, update: Update) -> None:
        progress = self.progress
        torch.manual_seed(seed_of(self.machine.seed, progress.step))
        total, count = self._gradients(update)
        loss = total / max(count, 1.0)
        gradients = [own(p.grad) for p in self.model.parameters() if p.grad is not None]
        torch._foreach_mul_(gradients, 1 / max(count, 1.0))
        norm = norm_of(gradients, self.group if self.sharded else ALONE)
        if (wrong := trouble(progress, loss, float(norm))) is not None:
            raise self._diverged(update, wrong, loss, float(norm))
        if self.settings.clip:
            torch._foreach_mul_(gradients, torch.clamp(self.settings.clip / (norm + 1e-6), max=1.0))
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

    def _diverged(self, update: Update, wrong: str, loss: float, norm: float) -> HeadwayError:
        """Keep the update's examples beside the checkpoints, and say what may help."""
        kept = Kept(update, lambda row: self.example(self.train.windows[row].example), self._loss_alone())
        path = self.folder / divergence.FILE
        where = f"The examples of this update are in {path}"
        if self.group.first:
            facts = {"step": self.progress.step + 1, "loss": as_json(loss), "gradient_norm": as_json(norm)}
            try:
                kept.write(path, {**facts, "learning_rate": self._scheduled_rate(), "wrong": wrong})
            except RunError as error:  # a full disk must not hide what happened
                where = f"The examples of this update are not kept ({error})"
        advice = hint(kept, self.model, self.settings, self.machine)
        return HeadwayError(
            f"{wrong}: training has diverged. {advice}. {where}, the first is {self._where(int(update[0][0]))}; what "
            "was saved before is intact"
        )

    def _loss_alone(self) -> Callable[[NDArray[np.int64]], float] | None:
        """What gives the mean loss of rows, nothing dropped; None for a model that this process has a share of."""

        def loss(rows: NDArray[np.int64]) -> float:
            with torch.no_grad(), precision(self.machine, self.device):
                return float(self.model(self._batch(rows)).mean)

        self.model.eval()
        return None if self.sharded else loss

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
            self.whole = self.sharded.whole() if self.sharded else self.model
            values, better = self._measure()
            best = better or not self.valid.examples
            if best:
                self.keep(dict(self.whole.named_parameters()), progress.step, extra)
        self.whole = self.model
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
        valid, budget, group = self.valid, self.settings.tokens, self.group
        if not valid.examples:
            return {}, False
        mine = valid.examples[group.rank :: group.size]
        with precision(self.machine, self.device):
            found = answers(self.whole, self.codecs, valid.encoded, mine, Search(), budget, self.device)
            total, count = group.added(loss_of(self.whole, self.codecs, valid.encoded, budget, self.device))
        found, loss = in_turns(group.of_all(as_plain(found))) if group.size > 1 else found, total / max(count, 1)
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
        writers = self.group if self.sharded else ALONE
        if self.group.first or self.sharded:
            checkpoint.save(self.folder, *state, more=self.listener.saving, group=writers)

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
            if self.group.of_first(self.clock() - begin > 0.02 * limit) and len(measured) >= 4:
                break
        measured = measured[1:] or measured  # the first pays for what is set up once
        self.model.zero_grad(set_to_none=True)
        self.optimizers = OPTIMIZERS.build(self.settings.optimizer).build(self.model)
        self.progress.seconds += self.clock() - begin
        return self.group.of_first(max(1, int(TIME_FOR_UPDATES * limit / float(np.mean(measured)))))
