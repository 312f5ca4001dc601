"""Fingerprints of rows: who is like whom, in 40 bytes a row, so that data may be larger than memory."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
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
        self._kinds: list[type[Where]] = []
        self._last: tuple[Path | str | None, int] = None, 0

    def __len__(self) -> int:
        return len(self._source)

    def add(self, part: str, example: Example) -> None:
        """Remember a row."""
        self._source.append(hash(_plain(example.source)))
        self._alike.append(hash(_folded(example.source)))
        self._target.append(hash(_plain(example.target)))
        self._file.append(self._file_of(example.where))
        self._line.append(example.where.line)
        self._part.append(NUMBERS[part])

    def extend(self, part: str, examples: Sequence[Example]) -> None:
        """Remember many rows fast; those that differ in case or blanks are told apart."""
        sources = [hash(_plain(example.source)) for example in examples]
        self._source.extend(sources)
        self._alike.extend(sources)
        self._target.extend([hash(_plain(example.target)) for example in examples])
        self._file.extend([self._file_of(example.where) for example in examples])
        self._line.extend([example.where.line for example in examples])
        self._part.extend([NUMBERS[part]] * len(examples))

    def _file_of(self, where: Where) -> int:
        """The number of a place's file."""
        file = where.file
        if file is self._last[0]:
            return self._last[1]
        if (number := self._files.get(file)) is None:
            number = self._files[file] = len(self._kinds)
            self._kinds.append(type(where))
        self._last = file, number
        return number

    def where(self, row: int) -> Where:
        """The place of a row."""
        number = self._file[row]
        name = next(islice(self._files, number, None))
        return self._kinds[number](name, self._line[row])

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
    return value.identity() if isinstance(value, Value) else value


def _folded(value: Any) -> str:
    """The same without case and blanks."""
    return value.identity() if isinstance(value, Value) else folded(value)
