"""What step-by-step decoding keeps, so that a step costs one position and not the whole sequence again."""

from dataclasses import dataclass

import torch
from torch import Tensor


class KeyValues:
    """Keys and values (B, H, length, K) of the positions already written, in buffers that grow by doubling."""

    def __init__(self) -> None:
        self.length = 0
        self._keys: Tensor | None = None
        self._values: Tensor | None = None

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the keys and values of new positions; returns those of all positions so far."""
        end = self.length + k.shape[2]
        if self._keys is None or self._values is None:
            self._keys, self._values = _room(k, max(32, end)), _room(v, max(32, end))
        elif end > self._keys.shape[2]:
            grown = _room(k, 2 * end), _room(v, 2 * end)
            grown[0][:, :, : self.length] = self._keys[:, :, : self.length]
            grown[1][:, :, : self.length] = self._values[:, :, : self.length]
            self._keys, self._values = grown
        self._keys[:, :, self.length : end] = k
        self._values[:, :, self.length : end] = v
        self.length = end
        return self._keys[:, :, :end], self._values[:, :, :end]

    def crop(self, length: int) -> None:
        """Forget the positions from `length` on."""
        self.length = min(self.length, length)

    def select(self, rows: Tensor) -> None:
        """Go on with some rows, in the order asked."""
        if self._keys is not None and self._values is not None:
            self._keys, self._values = self._keys.index_select(0, rows), self._values.index_select(0, rows)


def _room(like: Tensor, length: int) -> Tensor:
    return like.new_empty(like.shape[0], like.shape[1], length, like.shape[3])


@dataclass
class Fixed:
    """Keys and values of a memory that does not change: computed at the first step, read at every later one."""

    keys: Tensor | None = None
    values: Tensor | None = None

    def select(self, rows: Tensor) -> None:
        if self.keys is not None and self.values is not None:
            self.keys, self.values = self.keys.index_select(0, rows), self.values.index_select(0, rows)

    def crop(self, length: int) -> None:
        """A memory is as long as it is."""


class Past:
    """Vectors (B, length, D) of the positions already written, of which a step needs the last few only.

    Those are at hand, so a step costs the same however much is written. All others wait in the order in which they
    came, together with the selections of rows, and are brought up to date when positions are cropped.

    reach    how many of the last positions are needed
    """

    def __init__(self, reach: int) -> None:
        self.reach, self.length = reach, 0
        self.newest: Tensor | None = None
        self._log: list[Tensor] = []  # vectors (R, T, D), and selections (rows) of whole numbers

    def append(self, x: Tensor) -> Tensor:
        """Keep the vectors of new positions; returns them behind those that are at hand."""
        known = x if self.newest is None else torch.cat([self.newest, x], 1)
        self._log.append(x)
        self.length += x.shape[1]
        self.newest = self._last(known)
        return known

    def crop(self, length: int) -> None:
        """Forget the positions from `length` on."""
        if length >= self.length:
            return
        blocks: list[Tensor] = []
        order: Tensor | None = None
        for item in reversed(self._log):
            item = item if order is None else item[order]
            if item.is_floating_point():
                blocks.append(item)
            else:
                order = item
        past = torch.cat(blocks[::-1], 1)[:, :length]
        self._log, self.length, self.newest = [past], length, self._last(past)
        if not length:  # nothing is left, of no row in particular
            self._log, self.newest = [], None

    def select(self, rows: Tensor) -> None:
        """Go on with some rows, in the order asked."""
        if self.newest is not None:
            self.newest = self.newest.index_select(0, rows)
            self._log.append(rows)

    def _last(self, x: Tensor) -> Tensor:
        return x[:, max(0, x.shape[1] - self.reach) :]
