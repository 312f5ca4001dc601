"""Which known text is most like this one?  Cosine of sparse rows, through an inverted index."""

import numpy as np
from numpy.typing import NDArray

from headway.lab.baselines._sparse import Sparse

SHORTLIST = 32
"""Candidates that are compared exactly."""


class Index:
    """Rows of length 1, found by what they have in common.

    Rare columns say most and are in few rows, so they are looked up first, until `most` entries have been read; the
    rows that lead then are compared in full.
    """

    def __init__(self, rows: Sparse, columns: int, most: int):
        self._rows, self._most = rows, most
        order = np.argsort(rows.columns, kind="stable")
        self._lengths = np.bincount(rows.columns, minlength=columns)
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)])
        self._having, self._values = rows.rows[order].astype(np.int32), rows.values[order]
        self._query = np.zeros(columns)

    def nearest(self, columns: NDArray[np.int32], values: NDArray[np.float64]) -> int:
        """The number of the row whose product with this one is highest; this one has at least one column."""
        leaders = self._leaders(columns, values)
        self._query[columns] = values
        exact = self._rows.take(leaders) @ self._query
        self._query[columns] = 0.0
        return int(leaders[exact.argmax()])

    def _leaders(self, columns: NDArray[np.int32], values: NDArray[np.float64]) -> NDArray[np.int64]:
        """The rows with the highest products over the rare columns, in the order of the rows."""
        rare = np.argsort(self._lengths[columns], kind="stable")
        rare = rare[: max(1, int(np.searchsorted(np.cumsum(self._lengths[columns[rare]]), self._most, "right")))]
        lists = [slice(self._starts[column], self._starts[column + 1]) for column in columns[rare]]
        having = np.concatenate([self._having[part] for part in lists])
        shares = np.concatenate([self._values[part] * value for part, value in zip(lists, values[rare])])
        totals = np.bincount(having, shares, len(self._rows))
        found = np.flatnonzero(totals >= totals.max() / 2)  # far fewer to sort than all
        if len(found) > SHORTLIST:
            found = np.sort(found[np.argpartition(-totals[found], SHORTLIST)[:SHORTLIST]])
        return found
