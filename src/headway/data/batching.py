"""Rows of like length together, each batch filled to a budget of tokens; their order a function of (seed, epoch)."""

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

POOL = 100
"""Batches that are sorted by length together: enough to have rows of one length, few enough to stay random."""


Update = list[NDArray[np.int64]]
"""The rows of one update, in batches of like length."""


class Updates(Sequence[Update]):
    """The updates of an epoch as three arrays: ten million rows take 40 MB, however small the batches are."""

    def __init__(self, order: NDArray, ends: NDArray[np.int64], mixed: NDArray[np.int64], groups: int):
        """order: all rows, batch after batch; ends: where each batch ends; mixed: which batch comes when."""
        self.order, self.ends, self.mixed, self.groups = order, ends, mixed, groups

    def __len__(self) -> int:
        return -(-len(self.mixed) // self.groups)

    @overload
    def __getitem__(self, at: int) -> Update: ...
    @overload
    def __getitem__(self, at: slice) -> list[Update]: ...
    def __getitem__(self, at: int | slice) -> Update | list[Update]:
        if isinstance(at, slice):
            return [self[number] for number in range(len(self))[at]]
        number = range(len(self))[at]
        mixed = self.mixed[number * self.groups : (number + 1) * self.groups].tolist()
        return [self._batch(batch) for batch in mixed]

    def _batch(self, number: int) -> NDArray[np.int64]:
        begin = self.ends[number - 1] if number else 0
        return self.order[begin : self.ends[number]].astype(np.int64)


def plan(costs: NDArray[np.int64], budget: int, seed: int, epoch: int, groups: int = 1) -> Updates:
    """The updates of one epoch: every row once, in updates of at most `budget` padded tokens, in random order.

    costs    tokens that a row takes; a batch takes rows × the largest. A row above the budget is a batch of its own.
    groups   batches, each of its own length, that make an update: where short and long rows differ in what they say
             (short reviews are angry), an update of one length would pull the model to and fro

    The same arguments give the same updates on every machine.
    """
    random = np.random.Generator(np.random.PCG64([seed, epoch]))
    order = random.permutation(len(costs))
    order = order.astype(np.uint32) if len(costs) < 1 << 32 else order
    pool = max(1, int(POOL * budget / max(costs.mean(), 1))) if len(costs) else 1
    ends = [np.zeros(0, np.int64)]
    for start in range(0, len(order), pool):
        some = order[start : start + pool]
        some[:] = some[np.argsort(costs[some], kind="stable")]
        ends.append(start + ends_of(costs[some], max(1, budget // groups)))
    every = np.concatenate(ends)
    return Updates(order, every, random.permutation(len(every)), groups)


def in_order_of_length(costs: NDArray[np.int64], budget: int) -> list[NDArray[np.int64]]:
    """Every row once, the longest first, for answering: what does not fit fails at once and not in the end."""
    return cut(np.argsort(-costs, kind="stable"), costs, budget)


def cut(order: NDArray[np.int64], costs: NDArray[np.int64], budget: int) -> list[NDArray[np.int64]]:
    """Rows in this order, cut into batches so that rows × the largest cost stays within the budget."""
    return np.split(order, ends_of(costs[order], budget)[:-1]) if len(order) else []


def ends_of(costs: NDArray[np.int64], budget: int) -> NDArray[np.int64]:
    """Where each batch ends, of rows with these costs in this order: see `cut`."""
    ends, begin, largest = [], 0, 0
    for position, cost in enumerate(costs.tolist()):
        if position > begin and max(largest, cost) * (position - begin + 1) > budget:
            ends.append(position)
            begin, largest = position, 0
        largest = max(largest, cost)
    if begin < len(costs):
        ends.append(len(costs))
    return np.array(ends, np.int64)


def padding_share(costs: NDArray[np.int64], batches: Iterable[NDArray[np.int64]]) -> float:
    """The share of the tokens in these batches, which hold every row, that is padding."""
    total = sum(int(costs[batch].max()) * len(batch) for batch in batches)
    return 1 - int(costs.sum()) / total if total else 0.0
