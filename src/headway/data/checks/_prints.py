"""Fingerprints of rows: who is like whom, in 40 bytes a row, so that data may be larger than memory."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.batch import Example, Value
from headway.data.parts import PARTS
from headway.data.parts import alike as folded
from headway.errors import Where

NUMBERS = {part: number for number, part in enumerate(PARTS)}


@dataclass(frozen=True)
class Twin:
    """A row (by its number) that is like an earlier one."""

    row: int
    like: int


class Prints:
    """Of every row 64 bits of its source, of its source without case and blanks, and of its target.

    Among ten million rows two that differ have the same 64 bits with a probability of 3 in a million.
    """

    def __init__(self) -> None:
        self._source, self._alike, self._target = array("q"), array("q"), array("q")
        self._line, self._file, self._part = array("q"), array("i"), array("b")
        self._files: dict[Path | str, int] = {}
        self._names: list[type[Where]] = []

    def __len__(self) -> int:
        return len(self._source)

    def add(self, part: str, example: Example, alike: bool = True) -> None:
        """Remember a row. Without `alike` rows that differ in case or blanks are told apart."""
        source, where = _plain(example.source), example.where
        own = hash(source)
        self._source.append(own)
        self._alike.append(hash(folded(example.source)) if alike else own)
        self._target.append(hash(_plain(example.target)))
        if (file := self._files.get(where.file)) is None:
            file = self._files[where.file] = len(self._names)
            self._names.append(type(where))
        self._file.append(file)
        self._line.append(where.line)
        self._part.append(NUMBERS[part])

    def where(self, row: int) -> Where:
        """The place of a row."""
        if not hasattr(self, "_by_number") or len(self._by_number) < len(self._files):
            self._by_number = list(self._files)
        file = self._file[row]
        return self._names[file](self._by_number[file], self._line[row])

    def part(self, name: str) -> NDArray[np.int64]:
        """The rows of a part."""
        return np.flatnonzero(np.asarray(self._part) == NUMBERS[name])

    @property
    def sources(self) -> NDArray[np.int64]:
        return np.asarray(self._source)

    @property
    def alike(self) -> NDArray[np.int64]:
        return np.asarray(self._alike)

    @property
    def targets(self) -> NDArray[np.int64]:
        return np.asarray(self._target)


def repeated(keys: NDArray[np.int64], rows: NDArray[np.int64]) -> Iterator[Twin]:
    """Of these rows each that has the key of an earlier one, with the first that has it; in order."""
    _, first, inverse = np.unique(keys[rows], return_index=True, return_inverse=True)
    earlier = first[inverse]
    for position in np.flatnonzero(earlier < np.arange(len(rows))).tolist():
        yield Twin(int(rows[position]), int(rows[earlier[position]]))


def again(keys: NDArray[np.int64], rows: NDArray[np.int64], among: NDArray[np.int64]) -> Iterator[Twin]:
    """Of these rows each whose key one of the others has, with the first of those; in order."""
    known, first = np.unique(keys[among], return_index=True)
    if not len(known):
        return
    place = np.searchsorted(known, keys[rows]).clip(max=len(known) - 1)
    for position in np.flatnonzero(known[place] == keys[rows]).tolist():
        yield Twin(int(rows[position]), int(among[first[place[position]]]))


def _plain(value: Any) -> Any:
    """What equal values have in common, as something that has a hash."""
    return value.content() if isinstance(value, Value) else value
