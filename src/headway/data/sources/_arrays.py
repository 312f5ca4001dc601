"""Rows that are arrays, their mean and spread, and the files that examples name."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headway.data.readers.folders import Member
from headway.errors import DataError, Where, file_name

LEAST_SPREAD = 1e-3
"""Numbers whose spread is smaller hardly change, and are not blown up."""


class Arrays(list[NDArray]):
    """Arrays of different length, each as long as it has elements."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.array([len(row) for row in self], np.int64)


def moments(rows: Iterable[NDArray]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(mean, spread) of every number of the last axis, over all elements of all rows."""
    count, mean, squares = 0, np.zeros(1), np.zeros(1)
    for row in rows:  # two sets of elements as one (Chan et al. 1983), so that large numbers lose no digits
        flat = row.reshape(-1, row.shape[-1]).astype(np.float64)
        number, own = len(flat), flat.mean(0)
        away = own - mean
        squares = squares + ((flat - own) ** 2).sum(0) + away**2 * (count * number / (count + number))
        count, mean = count + number, mean + away * (number / (count + number))
    return mean.astype(np.float32), steady(np.sqrt(squares / count)).astype(np.float32)


def steady(spread: NDArray) -> NDArray:
    """Spreads to divide by: 1 where a number hardly changes."""
    return np.where(spread < LEAST_SPREAD, 1.0, spread)


def found(name: str, where: Where) -> Path:
    """The file that an example names: below the folder of the file it stands in. Raises DataError."""
    folder = where.folder if isinstance(where, Member) else Path(where.file).parent
    path = (folder if isinstance(where.file, Path) else Path()) / name
    try:
        if path.is_file():
            if not path.stat().st_size:
                raise DataError(where, f"{file_name(path)} is empty")
            return path
        problem = "this is a folder, and a file is expected" if path.is_dir() else "there is no such file"
    except (OSError, ValueError) as error:
        problem = str(error)
    relative = "" if Path(name).is_absolute() else f"; names are relative to {file_name(path.parent)}"
    raise DataError(where, f"{file_name(path)}: {problem}{relative if 'no such' in problem else ''}")
