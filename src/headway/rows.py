"""Rows of different length as one flat array: a million sentences are two arrays, and can lie in a file."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray


class Rows:
    """Row i is `values[starts[i]:starts[i + 1]]`."""

    __slots__ = ("starts", "values")

    def __init__(self, values: NDArray, starts: NDArray[np.int64]):
        self.values, self.starts = values, starts

    @classmethod
    def of(cls, rows: Iterable[NDArray], dtype: type = np.int32) -> "Rows":
        """From arrays, one a row."""
        rows = [np.asarray(row, dtype) for row in rows]
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=starts[1:])
        return cls(np.concatenate(rows) if rows else np.zeros(0, dtype), starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, i: int) -> NDArray:
        return self.values[self.starts[i] : self.starts[i + 1]]

    def __iter__(self) -> Iterator[NDArray]:
        return (self[i] for i in range(len(self)))

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.starts)

    def take(self, which: NDArray) -> "Rows":
        """Some rows, in the order asked, without a loop over them."""
        begins = self.starts[which]
        lengths = self.starts[np.asarray(which) + 1] - begins  # of these alone: the others may lie in a file
        starts = np.zeros(len(which) + 1, np.int64)
        np.cumsum(lengths, out=starts[1:])
        steps = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
        return Rows(self.values[np.repeat(begins, lengths) + steps], starts)

    def followed_by(self, others: "Rows") -> "Rows":
        """These rows, and the others behind them."""
        starts = np.concatenate([self.starts, others.starts[1:] + self.starts[-1]])
        return Rows(np.concatenate([self.values, others.values]), starts)

    def padded(self, fill: int) -> NDArray:
        """(rows, longest) with `fill` behind the shorter rows."""
        lengths = self.lengths
        table = np.full((len(self), int(lengths.max(initial=0))), fill, self.values.dtype)
        table[np.arange(table.shape[1]) < lengths[:, None]] = self.values
        return table
