"""The gradient of an update, however it is divided: among processes, side by side, and into what memory holds."""

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from headway.batch import Batch, Example
from headway.data.batching import Update
from headway.data.encoding import Codecs, Encoded
from headway.errors import LackOfMemory, Where
from headway.kernels.dropout import drawn_from
from headway.model import Model
from headway.training import splitting
from headway.training.blocks import compile_blocks, recompute_blocks
from headway.training.checkpoint import Progress
from headway.training.distributed import Group, Processes, Sums
from headway.training.events import Listener
from headway.training.memory import DoesNotFit, Foresight, Lack, give_back, keeping, lack_of, within_memory
from headway.training.optimizers import OPTIMIZERS
from headway.training.replicas import Replicas
from headway.training.settings import MachineSettings, TrainingSettings
from headway.training.sharding import Sharded
from headway.training.splitting import Limit, Limits

MOST_PARTS, LEAST_TOKENS = 4, 512
"""Parts of an update that are worked on side by side where the user does not say, and the tokens of each."""
STATES = 2
"""Numbers of an optimizer for each weight, of which it makes place at its first step."""


class Gradients:
    """A model, what it learns from, and what sums the gradients of its updates.

    example    by its number in the training part: what messages name
    limits     what goes through the model at once at most, as far as memory has taught it
    """

    def __init__(
        self,
        model: Model,
        codecs: Codecs,
        train: Encoded,
        settings: tuple[TrainingSettings, MachineSettings],
        device: torch.device,
        folder: Path,
        listener: Listener,
        group: Group,
    ):
        self.model, self.codecs, self.train = model, codecs, train
        self.settings, self.machine = settings
        self.device, self.folder, self.listener, self.group = device, folder, listener, group
        self.example: Callable[[int], Example] = lambda number: Example(None)
        group.same(model)
        self.sharded = Sharded(model, group) if self.machine.shard and isinstance(group, Processes) else None
        if self.machine.compile:
            compile_blocks(model)
        if self.machine.recompute:
            recompute_blocks(model)
        self.sums: Sums = group.totals() if self.sharded else group.sums(model)
        self.optimizers = OPTIMIZERS.build(self.settings.optimizer).build(model)
        self.progress = Progress(steps=self.settings.steps or 0)
        self.limits = Limits(folder)
        self._replicas(1)

    def _gradients(self, update: Update) -> tuple[float, float]:
        """Sum the gradients of the loss's sum over the update's rows; returns (loss sum, count).

        Where memory is short, all of it is made again in smaller pieces. Raises LackOfMemory where there are none.
        """
        for limit in self.limits.met(self.progress.step):  # of a run that goes on from before it met them
            self._log(limit)
        while (found := self._tried(update)) is None:
            self.replicas.forget()
            give_back(self.device)
        return found

    def _tried(self, update: Update) -> tuple[float, float] | None:
        """The same in one go; None where memory was short in some process, and from now on less is allowed."""
        parts = [self._rows(update, part) for part in range(self.replicas.number * self.group.size)]
        mine = [parts[part] for part in self.group.parts(len(parts))]
        lack, total, count = self.foresight.lack(mine) if self.foresight is not None else None, 0.0, 0.0
        if lack is None:
            try:
                total, count = self._passes(update, parts)
            except DoesNotFit as error:
                lack = lack_of(error.rows, self.train.costs)
        if lack is not None and self.sharded:  # the others wait inside a pass, and cannot be asked for another try
            raise self._hopeless(lack)
        found = self.sums.end(total, count, lack is not None)
        if found is None:
            self._allow_less([Lack(*each) for each in self.group.of_all(lack) if each is not None])
        else:
            self.progress.split += sum(self._is_cut(rows) for rows in update)
            if self.foresight is not None:
                self.foresight.ran(mine)
        return found

    def _passes(self, update: Update, parts: Sequence[Sequence[NDArray[np.int64]]]) -> tuple[float, float]:
        """This process's passes through the model. Raises DoesNotFit."""
        mine = [
            ([self._loaded(rows) for rows in parts[part]], seed_of(self.machine.seed, self.progress.step, part))
            for part in self.group.parts(len(parts))
        ]
        total, count = self.replicas.gradients(mine, self.sums.begin)
        if self.sharded:  # a divided model is put together by all processes at once, pass by pass
            passes = [sum(len(parts[p]) for p in range(r, len(parts), self.group.size)) for r in range(self.group.size)]
            self.replicas.idle(self._batch(update[0][:1]), max(passes) - passes[self.group.rank])
        return total, count

    def _loaded(self, rows: NDArray[np.int64]) -> Batch:
        return within_memory(rows.tolist(), lambda: self._batch(rows))

    def _rows(self, update: Update, part: int) -> list[NDArray[np.int64]]:
        """The rows of a part, batch by batch: every so many of each batch, so of each length the same number."""
        number, micro, step = self.replicas.number * self.group.size, self.machine.micro_tokens, self.progress.step
        batches = [rows[part::number] for rows in update if len(rows) > part]
        return [few for rows in batches for few in self.limits.pieces(rows, self.train.costs, micro, step)]

    def _is_cut(self, rows: NDArray[np.int64]) -> bool:
        """Whether memory is why a batch goes through the model in more pieces than it would otherwise."""
        if not self.limits.all:
            return False
        part, micro = rows[:: self.replicas.number * self.group.size], self.machine.micro_tokens
        without = Limits(self.folder).pieces(part, self.train.costs, micro, self.progress.step)
        return len(self.limits.pieces(part, self.train.costs, micro, self.progress.step)) > len(without)

    def _batch(self, rows: NDArray[np.int64]) -> Batch:
        batch = self.train.batch(rows, self.codecs.source, self.model.task).to(self.device)
        return replace(batch, progress=self.progress.step / max(self.progress.steps, 1))

    # -------------------------------------------------------------------------------------------- where memory is short

    def _allow_less(self, lacks: Sequence[Lack]) -> None:
        """Cut batches like these from here on, in every process alike. Raises LackOfMemory for a single row."""
        if alone := [lack for lack in lacks if not lack.fits]:
            raise self._hopeless(alone[0])
        for lack in lacks:
            limit = self.limits.lower(self.progress.step, lack, self.group.first)
            where = self._where(lack.row)
            self.listener.said(splitting.said(lack, where, self.progress.step + 1, limit, self._prevention(lack)))
            self._log(limit)

    def _log(self, limit: Limit) -> None:
        facts = {"where": str(self._where(limit.row)), "rows": limit.rows, "length": limit.length}
        self.listener.split(self.progress.step + 1, {**facts, "tokens": limit.tokens})

    def _hopeless(self, lack: Lack) -> LackOfMemory:
        return splitting.hopeless(lack, self._where(lack.row), self._prevention(lack))

    def _prevention(self, lack: Lack) -> str:
        side_by_side = len(self.replicas.models)
        return splitting.prevention(self.settings, self.machine, lack, side_by_side, self.sharded is not None)

    def _where(self, row: int) -> Where:
        return self.example(self.train.windows[row].example).where

    def _kept(self, row: int) -> int:
        """Bytes that one row more keeps for the gradients: what two of it do beyond what one does."""
        sums = list[int]()
        for rows in (np.array([row, row]), np.array([row])):
            kept: dict[int, int] = {}
            with drawn_from(0), precision(self.machine, self.device), keeping(self.model, kept):
                loss = self.model(self._batch(rows))
            del loss
            sums.append(sum(kept.values()))
        return max(1, sums[0] - sums[1])

    def _foresight(self) -> Foresight | None:
        """On a CPU alone: a GPU says when memory is out, and what is compiled keeps what its compiler wants."""
        if self.device.type != "cpu" or self.machine.compile or self.sharded:
            return None
        return Foresight(self.model, self.train.costs, self._kept, self._once)

    def _once(self) -> int:
        """Bytes that the first update takes and all later ones have: gradients, states, copies of weights."""
        learned = sum(p.numel() * p.element_size() for p in self.model.parameters() if p.requires_grad)
        states = 0 if any(optimizer.state for optimizer in self.optimizers) else STATES
        return learned * (2 * len(self.replicas.models) + states)

    # --------------------------------------------------------------------------------------------------- side by side

    def _replicas(self, parts: int) -> Replicas:
        side_by_side = self.device.type == "cpu" and not self.machine.compile and self.sharded is None
        made = self.replicas = Replicas(self.model, parts, lambda: precision(self.machine, self.device), side_by_side)
        self.foresight = self._foresight()
        return made

    def _parts(self) -> int:
        """Parts of each process: those asked for, or what the threads and the size of an update make sensible."""
        if self.machine.parts or self.device.type != "cpu" or self.machine.compile or self.sharded:
            return self.machine.parts or 1
        tokens = self.settings.tokens // self.group.size
        return max(1, min(torch.get_num_threads(), MOST_PARTS, tokens // LEAST_TOKENS))


def seed_of(seed: int, step: int, part: int = 0) -> int:
    """The seed of the randomness of one part of an update."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {step} {part}".encode(), digest_size=7).digest(), "big")


def precision(machine: MachineSettings, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """How matrix products are computed inside: bfloat16 by autocast, otherwise as torch is set."""
    if machine.precision == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()
