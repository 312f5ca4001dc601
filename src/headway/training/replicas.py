"""Parts of an update: side by side on a CPU, by a copy of the model for each, all of the same weights; else in turn.

torch divides every operation among the threads, and the operations of a small model are too short for that: two copies
with a thread each get through more than one copy with both. The gradients are summed in the order of the parts, so the
result is the same every time.
"""

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from headway.batch import Batch
from headway.kernels.dropout import drawn_from
from headway.training.memory import within_memory

Precision = Callable[[], AbstractContextManager[object]]


class Replicas:
    """Sums the gradients of several parts, each (batches, seed), into those of one model."""

    def __init__(self, model: nn.Module, number: int, precision: Precision, side_by_side: bool = True):
        """model    what gives the loss of a batch; with a number above 1 its copies are made here, in its mode

        side_by_side    otherwise the model itself works on one part after another
        """
        copies = number - 1 if side_by_side else 0
        self.models = [model, *(sharing_weights(model) for _ in range(copies))]
        self.number, self.precision = number, precision
        self._pool = ThreadPoolExecutor(copies) if copies else None

    def gradients(
        self, parts: Sequence[tuple[Sequence[Batch], int]], last: Callable[[], object] = lambda: None
    ) -> tuple[float, float]:
        """Add the gradients of the loss's sum over all parts; returns (loss sum, count).

        Raises DoesNotFit for a batch that memory has no room for, when no part is at work any more.

        last    is called before the last backward pass, where parts are worked on in turn
        """
        if self._pool is None:
            end = len(parts) - 1
            found = [self._in_turn(*part, last if at == end else None) for at, part in enumerate(parts)]
        else:
            threads = torch.get_num_threads()
            each = max(1, threads // len(self.models))
            others = [
                self._pool.submit(self._one, model, *part, each)
                for model, part in zip(self.models[1:], parts[1:], strict=True)
            ]
            try:
                found = [self._one(self.models[0], *parts[0], each), *(other.result() for other in others)]
            finally:
                wait(others)  # also after a failure: none of them may add to gradients of a later try
                torch.set_num_threads(threads)
            self._sum()
        return sum(total for total, _ in found), sum(count for _, count in found)

    def idle(self, batch: Batch, passes: int) -> None:
        """Go through the model so often for nothing, where other processes wait for each pass."""
        for _ in range(passes):
            with self.precision():
                loss = self.models[0](batch)
            (loss.total * 0.0).backward()

    def forget(self) -> None:
        """Drop all gradients, those of a try that did not come to its end among them."""
        for model in self.models:
            model.zero_grad(set_to_none=True)

    def _in_turn(self, batches: Sequence[Batch], seed: int, last: Callable[[], object] | None) -> tuple[float, float]:
        torch.manual_seed(seed)  # what a GPU draws from
        return self._one(self.models[0], batches, seed, None, last)

    def _one(
        self,
        model: nn.Module,
        batches: Sequence[Batch],
        seed: int,
        threads: int | None,
        last: Callable[[], object] | None = None,
    ) -> tuple[float, float]:
        if threads is not None:  # a thread's own number: another may have it otherwise
            torch.set_num_threads(threads)
        total = count = 0.0
        with drawn_from(seed):
            for number, batch in enumerate(batches):
                then = last if number == len(batches) - 1 else None
                found = within_memory(batch.rows, lambda batch=batch, then=then: self._pass(model, batch, then))
                total, count = total + found[0], count + found[1]
        return total, count

    def _pass(self, model: nn.Module, batch: Batch, last: Callable[[], object] | None) -> tuple[float, float]:
        with self.precision():
            loss = model(batch)
        if last is not None:
            last()
        loss.total.backward()
        return float(loss.total.detach()), loss.count

    def _sum(self) -> None:
        """Add the copies' gradients to the model's, one copy after another."""
        for model in self.models[1:]:
            there: list[Tensor] = []
            added: list[Tensor] = []
            for own, p in zip(self.models[0].parameters(), model.parameters(), strict=True):
                if p.grad is not None and own.grad is not None:
                    there.append(own.grad)
                    added.append(p.grad)
                elif p.grad is not None:
                    own.grad = p.grad
                p.grad = None
            if there:
                torch._foreach_add_(there, added)


def sharing_weights(model: nn.Module) -> nn.Module:
    """A copy whose parameters lie where the model's lie, with gradients of their own."""
    known = {id(p): nn.Parameter(p.detach(), p.requires_grad) for p in model.parameters()}
    return copy.deepcopy(model, known)
