"""Numbers in plain files: written bit by bit, mapped into memory, their pages given back."""

import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from headway.errors import RunError

TYPES: Mapping[str, str] = {
    "sources": "<i4",
    "source_starts": "<i8",
    "targets": "<i4",
    "target_starts": "<i8",
    "numbers": "<f8",
    "costs": "<i8",
    "windows": "<i4",
    "places": "<u4",
}
"""What the numbers of each file are."""


def file_of(folder: Path, name: str) -> Path:
    """Where the numbers of that name lie; targets that are numbers of their own are `numbers`."""
    return folder / f"{'targets' if name == 'numbers' else name}.bin"


class Column:
    """A file that grows by arrays of one type."""

    def __init__(self, folder: Path, name: str):
        self.type = np.dtype(TYPES[name])
        self.file: BinaryIO = open(file_of(folder, name), "wb")  # noqa: SIM115

    def append(self, values: NDArray) -> None:
        """The values behind those that are there."""
        self.file.write(np.ascontiguousarray(values, self.type).tobytes())

    def close(self) -> None:
        """Make sure that all of it lies on the disk."""
        if self.file.closed:
            return
        with self.file:
            self.file.flush()
            os.fsync(self.file.fileno())


class Mapped:
    """The numbers of a file, read where they lie.

    values    (…) an array that cannot be written to; pages come into memory as they are read
    """

    def __init__(self, folder: Path, name: str, count: int):
        """count: how many numbers there must be. Raises RunError."""
        path, kind = file_of(folder, name), np.dtype(TYPES[name])
        self.map: mmap.mmap | None = None
        try:
            with open(path, "rb") as file:
                size = file.seek(0, 2)
                if size != count * kind.itemsize:
                    raise RunError(f"{path} is damaged: {size:,} bytes, and {count:,} numbers of {kind} belong there")
                if size:  # nothing cannot be mapped
                    self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror}") from error
        self.values: NDArray = np.zeros(0, kind) if self.map is None else np.frombuffer(self.map, kind)

    def give_back(self) -> None:
        """Let go of the pages that were read: they are read again when they are needed, from the system's cache."""
        if self.map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self.map.madvise(mmap.MADV_DONTNEED)
