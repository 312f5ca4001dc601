"""What is one node to another? One small number for every pair, and for every head a learned bias for every number.

    0                       the node itself, and padding
    1 … E                   neighbours, by the type of the edge; in directed graphs by that there and that back
    E + 1 … E + longest - 1 no neighbours: the shortest path has 2 … longest edges, the last of them also more
    E + longest             no path leads there

Without distances (longest = 0) there is one number for all that are no neighbours, E + 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

SPREAD = 0.02
"""Spread of the biases at the beginning."""


@dataclass(frozen=True)
class Relations:
    """How pairs are numbered.

    types      of edges, by number from 1; 0 is no edge
    directed   whether an edge leads one way only
    longest    the longest shortest path that has a number of its own; 0 where distances are not told
    """

    types: int
    directed: bool
    longest: int

    @property
    def edges(self) -> int:
        """E: numbers that neighbours have."""
        return (self.types + 1) ** 2 - 1 if self.directed else self.types

    @property
    def count(self) -> int:
        return self.edges + 1 + max(1, self.longest)

    def of_edges(self, there: NDArray[np.int64], back: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of pairs with an edge of this type there, and of this type back; 0 is none."""
        return there * (self.types + 1) + back if self.directed else np.maximum(there, back)

    def of_distances(self, distance: NDArray[np.int64]) -> NDArray[np.int64]:
        """(N, N) the numbers of pairs by `functional.graphs.shortest_paths`; those of neighbours are still to come."""
        return np.where(distance == 0, 0, self.edges + np.maximum(distance - 1, 1))

    def told(self) -> tuple[Tensor, Tensor, Tensor]:
        """Of every number (distance, type there, type back): 0 … longest + 1, 0 … types, 0 … types."""
        numbers = torch.arange(self.count)
        near = numbers <= self.edges
        there, back = numbers // (self.types + 1), numbers % (self.types + 1)
        if not self.directed:
            there, back = numbers, torch.zeros_like(numbers)
        distance = torch.where(near, (numbers > 0).long(), numbers - self.edges + 1)
        return distance, torch.where(near, there, 0), torch.where(near, back, 0)


class RelationBias(nn.Module):
    """(B, S, S) numbers of pairs -> (B, H, S, S) what is added to the scores (Ying et al. 2021, equations 6 and 7)."""

    def __init__(self, relations: Relations, heads: int, types: bool, measures: int):
        """types: whether edges have a bias by their type; measures: numbers that an edge has."""
        super().__init__()
        distance, there, back = relations.told()
        self.distance = self._table(heads, relations.longest + 2) if relations.longest else None
        self.there = self._table(heads, relations.types) if types else None
        self.back = self._table(heads, relations.types) if types and relations.directed else None
        self.measures = self._table(heads, measures) if measures else None
        for name, numbers in (("of_distance", distance), ("of_there", there), ("of_back", back)):
            self.register_buffer(name, numbers, persistent=False)

    of_distance: Tensor
    of_there: Tensor
    of_back: Tensor

    @staticmethod
    def _table(heads: int, size: int) -> nn.Parameter:
        return nn.Parameter(torch.empty(heads, size).normal_(std=SPREAD))

    def forward(self, numbers: Tensor, measures: Tensor | None) -> Tensor | None:
        """measures (B, S, S, M) the numbers of edges, 0 where there is none."""
        told = [
            (self.distance, self.of_distance),
            (None if self.there is None else F.pad(self.there, (1, 0)), self.of_there),
            (None if self.back is None else F.pad(self.back, (1, 0)), self.of_back),
        ]
        known: Sequence[Tensor] = [table[:, which] for table, which in told if table is not None]
        bias = looked_up(torch.stack(tuple(known)).sum(0), numbers) if known else None
        if self.measures is None or measures is None:
            return bias
        measured = (measures @ self.measures.T).permute(0, 3, 1, 2)
        return measured if bias is None else bias + measured


def looked_up(table: Tensor, numbers: Tensor) -> Tensor:
    """(H, K) a number for each of K things, (B, S, S) which of them -> (B, H, S, S)."""
    if table.device.type != "cpu":
        return F.embedding(numbers, table.T).permute(0, 3, 1, 2)
    return _LookedUp.apply(table, numbers)


class _LookedUp(torch.autograd.Function):
    """A table so small that its gradient is counted, and not scattered: a third of the time of an embedding's."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, numbers: Tensor) -> Tensor:
        ctx.save_for_backward(numbers)
        ctx.size = table.shape[1]
        B, S, _ = numbers.shape
        found = table.new_empty(B, len(table), S, S)
        flat = numbers.flatten()
        for head, row in enumerate(table):
            found[:, head] = row.index_select(0, flat).view(B, S, S)
        return found

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (numbers,) = ctx.saved_tensors
        flat = numbers.flatten()
        sums = [torch.bincount(flat, gradient[:, head].flatten(), ctx.size) for head in range(gradient.shape[1])]
        return torch.stack(sums).to(gradient.dtype), None
