"""Rows of like length together, each batch filled to a budget of tokens; their order a function of (seed, epoch)."""

import numpy as np
from numpy.typing import NDArray

POOL = 100
"""Batches that are sorted by length together: enough to have rows of one length, few enough to stay random."""


Update = list[NDArray[np.int64]]
"""The rows of one update, in batches of like length."""


def plan(costs: NDArray[np.int64], budget: int, seed: int, epoch: int, groups: int = 1) -> list[Update]:
    """The updates of one epoch: every row once, in updates of at most `budget` padded tokens, in random order.

    costs    tokens that a row takes; a batch takes rows × the largest. A row above the budget is a batch of its own.
    groups   batches, each of its own length, that make an update: where short and long rows differ in what they say
             (short reviews are angry), an update of one length would pull the model to and fro

    The same arguments give the same updates on every machine.
    """
    random = np.random.Generator(np.random.PCG64([seed, epoch]))
    order = random.permutation(len(costs))
    pool = max(1, int(POOL * budget / max(costs.mean(), 1))) if len(costs) else 1
    batches = []
    for start in range(0, len(order), pool):
        some = order[start : start + pool]
        batches += cut(some[np.argsort(costs[some], kind="stable")], costs, max(1, budget // groups))
    mixed = [batches[i] for i in random.permutation(len(batches))]
    return [mixed[i : i + groups] for i in range(0, len(mixed), groups)]


def in_order_of_length(costs: NDArray[np.int64], budget: int) -> list[NDArray[np.int64]]:
    """Every row once, the longest first, for answering: what does not fit fails at once and not in the end."""
    return cut(np.argsort(-costs, kind="stable"), costs, budget)


def cut(order: NDArray[np.int64], costs: NDArray[np.int64], budget: int) -> list[NDArray[np.int64]]:
    """Rows in this order, cut into batches so that rows × the largest cost stays within the budget."""
    batches, begin, largest = [], 0, 0
    for position, cost in enumerate(costs[order].tolist()):
        if position > begin and max(largest, cost) * (position - begin + 1) > budget:
            batches.append(order[begin:position])
            begin, largest = position, 0
        largest = max(largest, cost)
    if begin < len(order):
        batches.append(order[begin:])
    return batches


def padding_share(costs: NDArray[np.int64], batches: list[NDArray[np.int64]]) -> float:
    """The share of the tokens in these batches that is padding."""
    total = sum(int(costs[batch].max()) * len(batch) for batch in batches)
    return 1 - int(costs.sum()) / total if total else 0.0
