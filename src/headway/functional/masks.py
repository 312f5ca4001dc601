"""May position i look at position j?  True = it may.

The rules are kept as rules as long as possible, because an engine that knows "causal" needs no table of T × S.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def padding(lengths: Int[Tensor, " B"], S: int) -> Bool[Tensor, "B S"]:
    """j is a real element: j < length."""
    return torch.arange(S, device=lengths.device) < lengths[:, None]


def causal(T: int, S: int, offset: int = 0, device: torch.device | None = None) -> Bool[Tensor, "T S"]:
    """j is not later than i: masked self-attention. The first asking position is number `offset`."""
    i = torch.arange(T, device=device)[:, None] + offset
    return torch.arange(S, device=device) <= i


def window(T: int, S: int, reach: int, offset: int = 0, device: torch.device | None = None) -> Bool[Tensor, "T S"]:
    """j is at most `reach` positions away from i."""
    i = torch.arange(T, device=device)[:, None] + offset
    return (torch.arange(S, device=device) - i).abs() <= reach


@dataclass(frozen=True, eq=False)
class Mask:
    """All the rules of one attention together: i may look at j where every rule allows it.

    keys       (B, S) j is a real element and not padding; None where all are real
    causal     j is not later than i
    reach      |i − j| is at most this
    edges      (B, T, S) i and j are neighbours in a graph
    offset     the number of the first asking position, where earlier ones are already in a cache
    """

    keys: Tensor | None = None
    causal: bool = False
    reach: int | None = None
    edges: Tensor | None = None
    offset: int = 0
    _made: dict[tuple[object, ...], Tensor | bool | None] = field(default_factory=dict, repr=False)

    def within(self, reach: int) -> "Mask":
        """The same rules, and |i − j| is at most this."""
        reach = reach if self.reach is None else min(reach, self.reach)
        return self._once(("within", reach), lambda: replace(self, reach=reach, _made={}))

    def table(self, T: int, S: int, device: torch.device | None = None) -> Tensor | None:
        """(B or 1, 1, T or 1, S) the rules as one table; None where every position may look everywhere."""
        return self._once(("table", T, S), lambda: self._tabulate(T, S, device))

    def summand(self, T: int, S: int, like: Tensor) -> Tensor | None:
        """The table as what is added to scores: 0 where may be looked, minus infinity elsewhere."""
        table = self.table(T, S, like.device)
        if table is None:
            return None
        zero = torch.zeros((), dtype=like.dtype, device=like.device)
        return self._once(("summand", T, S, like.dtype), lambda: zero.masked_fill(~table, -torch.inf))

    def has_empty_rows(self, T: int, S: int, device: torch.device | None = None) -> bool:
        """Whether some position may look nowhere; while compiling, which cannot wait for values, whether it might."""
        table = self.table(T, S, device)
        if torch.compiler.is_compiling():
            return table is not None
        return table is not None and self._once(("empty", T, S), lambda: not bool(table.any(-1).all()))

    def _once(self, key: tuple[object, ...], make: Callable[[], Any]) -> Any:
        """Made at the first question and kept: layers of one forward ask the same. While compiling nothing is kept."""
        if torch.compiler.is_compiling():
            return make()
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _tabulate(self, T: int, S: int, device: torch.device | None) -> Tensor | None:
        rules: list[Tensor] = []
        if self.keys is not None:
            rules.append(self.keys[:, None, None, :])
        if self.causal and not (T == 1 and self.offset + 1 == S):  # the newest position may look at all before it
            rules.append(causal(T, S, self.offset, device)[None, None])
        if self.reach is not None:
            rules.append(window(T, S, self.reach, self.offset, device)[None, None])
        if self.edges is not None:
            rules.append(self.edges[:, None])
        return functools.reduce(torch.logical_and, rules) if rules else None
