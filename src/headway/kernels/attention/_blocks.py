"""The table of T × S in blocks of queries: which keys each block can see, and what is hidden inside it.

A block holds whole rows: a few queries of some heads, and all the keys that the rules let them see. What "causal", a
window and padding at the end of a row forbid together is never computed; only a block's edges need a table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from headway.functional.masks import Mask

Shape = tuple[int, int, int, int]
"""B, H, T, S"""


@dataclass(frozen=True, slots=True)
class Block:
    """Queries `rows` of some heads, and the keys that they can see. Several sequences only with all their heads."""

    batch: slice
    heads: slice
    rows: slice
    keys: slice

    @property
    def shape(self) -> Shape:
        """b, h, t, s"""
        b, h, t, s = (side.stop - side.start for side in (self.batch, self.heads, self.rows, self.keys))
        return b, h, t, s

    def of(self, x: Tensor) -> Tensor:
        """The part of a table broadcastable to (B, H, T, S)."""
        wanted = (self.batch, self.heads, self.rows, self.keys)
        return x[tuple(one if size > 1 else slice(None) for one, size in zip(wanted, x.shape))]

    def asking(self, x: Tensor) -> Tensor:
        """The part of (B, H, T, …)."""
        return x[self.batch, self.heads, self.rows]

    def asked(self, x: Tensor) -> Tensor:
        """The part of (B, H, S, …)."""
        return x[self.batch, self.heads, self.keys]


class Blocks:
    """All blocks of an attention; queries that see nothing are in none."""

    def __init__(self, mask: Mask, shape: Shape, like: Tensor, elements: int, fewest: int):
        """elements: how many numbers a block may have; fewest: the rows that a block has where the rules allow it."""
        self.mask, self.shape, self.like = mask, shape, like
        self.elements, self.fewest = elements, fewest
        self.before, self.after = mask.reach, 0 if mask.causal else mask.reach
        self._edges: dict[tuple[int, int, int], Tensor] = {}

    def __iter__(self) -> Iterator[Block]:
        B, H, T, _ = self.shape
        rows = self._rows()
        for start in range(0, T, rows):
            stop = min(start + rows, T)
            low, high = self._low(start), self._high(stop - 1)
            together = max(1, self.elements // (max(1, high - low) * (stop - start)))
            heads, batch = min(H, together), max(1, together // H)
            for b in range(0, B, batch):
                keys = slice(low, min(high, max(self._ends[b : b + batch])))
                for h in range(0, H, heads) if keys.start < keys.stop else ():
                    yield Block(slice(b, min(b + batch, B)), slice(h, min(h + heads, H)), slice(start, stop), keys)

    def hide(self, block: Block, scores: Tensor) -> None:
        """Minus infinity where may not be looked, in place; scores (b, h, t, s)."""
        for columns in self._uncertain(block):
            scores[..., columns.start - block.keys.start : columns.stop - block.keys.start] += self._edge(
                block, columns
            )
        if block.keys.stop > min(self._real[block.batch]):
            scores += block.of(self._padding)
        if self.mask.edges is not None:
            scores.masked_fill_(~block.of(self.mask.edges[:, None]), -torch.inf)

    @cached_property
    def counts(self) -> Tensor:
        """(B or 1, 1, T, 1) how many keys each position may look at."""
        T, S = self.shape[2:]
        i = torch.arange(T, device=self.like.device)
        low = torch.zeros_like(i) if self.before is None else (i + self.mask.offset - self.before).clamp(0, S)
        high = torch.full_like(i, S) if self.after is None else (i + self.mask.offset + self.after + 1).clamp(0, S)
        if self.mask.edges is not None:
            counts = self._counted_by_edges(self.mask.edges, low, high)
        elif self.mask.keys is None:
            counts = (high - low).clamp(min=0)[None]
        else:
            until = torch.nn.functional.pad(self.mask.keys.cumsum(1), (1, 0))
            counts = (until[:, high] - until[:, low]).clamp(min=0)
        return counts[:, None, :, None].to(torch.promote_types(self.like.dtype, torch.float32))

    def _counted_by_edges(self, edges: Tensor, low: Tensor, high: Tensor) -> Tensor:
        j = torch.arange(self.shape[3], device=self.like.device)
        seen = edges & (j >= low[:, None]) & (j < high[:, None])
        return (seen if self.mask.keys is None else seen & self.mask.keys[:, None]).sum(-1)

    def _rows(self) -> int:
        """Queries of a block: few where each sees other keys, or else the block would hold much that is forbidden."""
        T, S = self.shape[2:]
        span, most = S, T
        if self.before is not None and self.after is not None:
            span = self.before + self.after + 1
            most = max(self.fewest, span // 4)
        elif self.after is not None:
            most = max(self.fewest, T // 8)
        return max(1, min(T, most, max(self.fewest, self.elements // max(1, min(S, span)))))

    def _low(self, row: int) -> int:
        """The first key that a row may see by its position."""
        return 0 if self.before is None else min(max(0, row + self.mask.offset - self.before), self.shape[3])

    def _high(self, row: int) -> int:
        """The key behind the last that a row may see by its position."""
        S = self.shape[3]
        return S if self.after is None else min(max(0, row + self.mask.offset + self.after + 1), S)

    def _uncertain(self, block: Block) -> list[slice]:
        """The columns that some rows of the block may see and others may not, by their positions."""
        first, last = block.rows.start, block.rows.stop - 1
        low, high = block.keys.start, block.keys.stop
        seen = slice(min(self._low(last), high), max(min(self._high(first), high), low))  # by every row
        if seen.start >= seen.stop:
            return [block.keys] if self.after is not None or self.before is not None else []
        return [side for side in (slice(low, seen.start), slice(seen.stop, high)) if side.start < side.stop]

    def _edge(self, block: Block, columns: slice) -> Tensor:
        """(t, s) 0 or minus infinity; the same for all blocks that lie alike."""
        t, s = block.rows.stop - block.rows.start, columns.stop - columns.start
        shift = block.rows.start + self.mask.offset - columns.start
        if (shift, t, s) not in self._edges:
            device = self.like.device
            ahead = torch.arange(s, device=device) - torch.arange(t, device=device)[:, None] - shift  # j − i
            hidden = torch.zeros(t, s, dtype=torch.bool, device=device)
            if self.before is not None:
                hidden |= ahead < -self.before
            if self.after is not None:
                hidden |= ahead > self.after
            self._edges[shift, t, s] = self._summand(hidden)
        return self._edges[shift, t, s]

    def _summand(self, hidden: Tensor) -> Tensor:
        return torch.zeros(hidden.shape, dtype=self.like.dtype, device=hidden.device).masked_fill_(hidden, -torch.inf)

    @cached_property
    def _padding(self) -> Tensor:
        """(B or 1, 1, 1, S) minus infinity where a key is not real."""
        assert self.mask.keys is not None
        return self._summand(~self.mask.keys[:, None, None])

    @cached_property
    def _ends(self) -> list[int]:
        """For each sequence the key behind the last real one."""
        B, _, _, S = self.shape
        if self.mask.keys is None:
            return [S] * B
        return (self.mask.keys * torch.arange(1, S + 1, device=self.like.device)).amax(1).expand(B).tolist()

    @cached_property
    def _real(self) -> list[int]:
        """For each sequence how many keys at its beginning are real."""
        B, _, _, S = self.shape
        return [S] * B if self.mask.keys is None else self.mask.keys.long().cumprod(1).sum(1).expand(B).tolist()
