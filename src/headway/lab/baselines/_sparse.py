"""Rows that are mostly zero, as flat arrays: n-grams of texts hashed to columns, and their weights (tf-idf)."""

import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headway.rows import Rows

BITS = 22
BUCKETS = 1 << BITS
"""Columns that hashed n-grams share."""
CHUNK = 2_000_000
"""Characters that are counted at a time, which bounds the memory."""
WORD = re.compile(r"\w+|[^\w\s]")
"""A word or a mark of punctuation: one that exclaims says something."""

Unit = Literal["word", "character"]


class Sparse:
    """Row i has values[starts[i]:starts[i+1]] in the columns of the same places; all other columns are 0."""

    def __init__(self, starts: NDArray[np.int64], columns: NDArray[np.int32], values: NDArray[np.float64]):
        self.starts, self.columns, self.values = starts, columns, values

    def __len__(self) -> int:
        return len(self.starts) - 1

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The row of every value."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def __matmul__(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """(rows) the product with one number a column."""
        sums = np.zeros(len(self.values) + 1)
        np.cumsum(self.values * vector[self.columns], out=sums[1:])
        return sums[self.starts[1:]] - sums[self.starts[:-1]]

    def take(self, which: NDArray[np.int64]) -> "Sparse":
        """Some rows, in the order asked."""
        columns, values = Rows(self.columns, self.starts).take(which), Rows(self.values, self.starts).take(which)
        return Sparse(columns.starts, columns.values, values.values)

    def transposed(self, vector: NDArray[np.float64], columns: int) -> NDArray[np.float64]:
        """(columns) the product of the transpose with one number a row."""
        return np.bincount(self.columns, self.values * vector[self.rows], columns).astype(np.float64, copy=False)


def unit_of(texts: Sequence[str]) -> Unit:
    """Characters where texts have hardly any blanks (Chinese, formulas, single words), else words.

    In languages with blanks they are a tenth of the characters or more; a Chinese text has a few, by its Latin words.
    """
    blanks = sum(text.count(" ") for text in texts)
    return "character" if blanks < 0.06 * sum(map(len, texts)) else "word"


def counts(texts: Sequence[str], unit: Unit, longest: int) -> Sparse:
    """How often each n-gram of 1 … longest units occurs in each text; columns are buckets."""
    parts = [_count(part, unit, longest) for part in _chunks(texts)]
    lengths = np.concatenate([[0], *(length for length, _, _ in parts)])
    columns = np.concatenate([np.zeros(0, np.int32), *(columns for _, columns, _ in parts)])
    return Sparse(np.cumsum(lengths), columns, np.concatenate([np.zeros(0), *(values for _, _, values in parts)]))


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for text in texts:
        part.append(text)
        size += len(text)
        if size >= CHUNK:
            yield part
            part, size = [], 0
    if part:
        yield part


def _count(
    texts: list[str], unit: Unit, longest: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """(n-grams of each text, their columns, how often each occurs)"""
    hashes, lengths = _word_hashes(texts) if unit == "word" else _character_hashes(texts)
    row = np.repeat(np.arange(len(texts)), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(hashes))  # units from here to the end of the text
    keys, grams = [], hashes
    for n in range(1, longest + 1):
        if n > 1:
            grams = grams[:-1] * np.uint64(0x9E3779B97F4A7C15) + hashes[n - 1 :]
        whole = left[: len(grams)] >= n
        mixed = (grams[whole] ^ (grams[whole] >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
        keys.append(row[: len(grams)][whole] * BUCKETS + (mixed >> np.uint64(64 - BITS)).astype(np.int64))
    found, often = np.unique(np.concatenate(keys), return_counts=True)
    of_row = np.bincount(found // BUCKETS, minlength=len(texts))
    return of_row, (found % BUCKETS).astype(np.int32), often.astype(np.float64)


def _word_hashes(texts: list[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    words = [WORD.findall(text) for text in texts]
    known: dict[str, int] = {}
    flat = [known.setdefault(word, len(known)) for row in words for word in row]
    table = np.array([zlib.crc32(word.encode(errors="surrogatepass")) for word in known], np.uint64)
    return _spread(table)[np.array(flat, np.int64)], np.array([len(row) for row in words], np.int64)


def _character_hashes(texts: list[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    flat = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    return _spread(flat.astype(np.uint64)), np.array([len(text) for text in texts], np.int64)


def _spread(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers so mixed that neighbours are far apart (the finish of splitmix64)."""
    mixed = (numbers + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)


class Columns:
    """The buckets that training has seen, numbered without gaps."""

    def __init__(self, seen: Sparse, least: int = 1):
        """least: buckets that fewer rows have are left out."""
        rows = np.bincount(seen.columns, minlength=BUCKETS)
        kept = np.flatnonzero(rows >= least)
        self.rows = rows[kept]
        self._place = np.full(BUCKETS, -1, np.int32)
        self._place[kept] = np.arange(len(kept), dtype=np.int32)

    def __len__(self) -> int:
        return len(self.rows)

    def __call__(self, seen: Sparse) -> Sparse:
        """The same rows in these columns; what training has not seen is left out."""
        columns = self._place[seen.columns]
        known = columns >= 0
        of_row = np.bincount(seen.rows[known], minlength=len(seen))
        return Sparse(np.concatenate([[0], np.cumsum(of_row)]), columns[known], seen.values[known])


class TfIdf:
    """Weights of n-grams: (1 + ln how often here) × how rare elsewhere, each row of length 1.

    idf = ln((1 + N) / (1 + rows that have it)) + 1, as scikit-learn's `TfidfVectorizer(sublinear_tf=True)` has it.
    """

    def __init__(self, seen: Sparse, least: int = 1):
        """least: n-grams that fewer rows have are left out."""
        self.columns = Columns(seen, least)
        self.idf = np.log((1 + len(seen)) / (1 + self.columns.rows)) + 1

    def __call__(self, seen: Sparse) -> Sparse:
        known = self.columns(seen)
        values = (1 + np.log(known.values)) * self.idf[known.columns]
        length = np.sqrt(np.bincount(known.rows, values**2, len(known)))
        return Sparse(known.starts, known.columns, values / length[known.rows])
