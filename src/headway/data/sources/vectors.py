"""Vectors made elsewhere: a .npy file of (elements, numbers), a tensor of a .safetensors file (`all.safetensors#name`),
or an array of Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.batch import NOWHERE, Example, Part, Value
from headway.data.files import listed
from headway.data.settings import DataSettings
from headway.data.sources import SourceCodec
from headway.data.sources._arrays import Arrays, found, moments
from headway.errors import DataError, Where, file_name, printable, unknown
from headway.inputs import vectors as vectors_input

WIDEST = 65_536
"""Numbers that a vector may have."""
LONGEST = 1_000_000
"""Vectors that an example may have."""
_NPY = b"\x93NUMPY"


@dataclass(frozen=True, repr=False, eq=False)
class Vectors(Value):
    """A row of vectors: an array of (elements, numbers)."""

    array: NDArray
    name: str = "vectors"
    where: Where = NOWHERE

    def __len__(self) -> int:
        return len(self.array)

    @cached_property
    def _content(self) -> str:
        plain = np.ascontiguousarray(self.array, np.float32)
        return f"vectors {plain.shape} {blake2b(plain.tobytes(), digest_size=16).hexdigest()}"

    def content(self) -> str:
        return self._content

    def __str__(self) -> str:
        return self.name


class SourceVectors(SourceCodec):
    def __init__(self, settings: vectors_input.Settings, state: Mapping[str, Any] | None = None):
        self.settings = settings
        self.numbers, self.normal = 0, None
        if state:
            self._use(state["numbers"], state["mean"], state["spread"])

    def _use(self, numbers: int, mean: Sequence[float], spread: Sequence[float]) -> None:
        self.numbers = numbers
        self.normal = (np.array(mean, np.float32), np.array(spread, np.float32)) if len(mean) else None

    @classmethod
    def made(cls, data: DataSettings, settings: Any, state: Mapping[str, Any] | None = None) -> "SourceVectors":
        return cls(settings, state)

    @classmethod
    def recognizes(cls, example: Example) -> bool:
        source = example.source
        if isinstance(source, str):
            name = source.lower()
            return name.endswith((".npy", ".safetensors")) or ".safetensors#" in name
        return isinstance(source, Vectors | np.ndarray)

    @classmethod
    def opened(cls, example: Example, data: DataSettings) -> Example:
        source = example.source
        if isinstance(source, Vectors):
            return example
        if isinstance(source, np.ndarray):
            name = f"an array of shape {source.shape}"
            return replace(example, source=Vectors(_checked(source, name, example.where), name, example.where))
        if not isinstance(source, str):
            raise DataError(example.where, f"vectors are expected: a file's name, and not {printable(source)}")
        array = _checked(_read(source, example.where), printable(source), example.where)
        return replace(example, source=Vectors(array, source, example.where))

    @property
    def sizes(self) -> vectors_input.VectorSizes:
        return vectors_input.VectorSizes(self.numbers)

    @property
    def told(self) -> str:
        return f"vectors of {self.numbers:,} numbers"

    def fit(self, sources: Sequence[Vectors], together: Sequence[Any] = ()) -> None:
        self.numbers = sources[0].array.shape[1]
        rows = self.encode_all(sources)
        mean, spread = moments(rows) if self.settings.normalize == "global" else (np.zeros(0), np.zeros(0))
        self._use(self.numbers, mean.tolist(), spread.tolist())

    def elements(self, source: Vectors) -> tuple[str, ...]:
        return tuple(map(str, range(len(source))))

    def lengths(self, sources: Sequence[Vectors]) -> list[int]:
        return list(map(len, sources))

    def encode_all(self, sources: Sequence[Vectors]) -> list[NDArray[np.float32]]:
        for source in sources:
            if source.array.shape[1] != self.numbers:
                raise DataError(
                    source.where,
                    f"{source} has vectors of {source.array.shape[1]:,} numbers, and those of the training part have "
                    f"{self.numbers:,}",
                )
        return [np.asarray(source.array, np.float32) for source in sources]

    def rows(self, pieces: Sequence[NDArray]) -> Arrays:
        return Arrays(pieces)

    def collate(self, rows: Sequence[NDArray]) -> Part:
        return vectors_input.collate(rows, self.normal)

    def state(self) -> dict[str, Any]:
        mean, spread = ([], []) if self.normal is None else (each.tolist() for each in self.normal)
        return {"numbers": self.numbers, "mean": mean, "spread": spread}


def _read(source: str, where: Where) -> NDArray:
    """The array of a file's name. Raises DataError."""
    at = source.lower().rfind(".safetensors")
    if at >= 0:
        end = at + len(".safetensors")
        return _tensor(found(source[:end], where), source[end:].removeprefix("#"), where)
    path = found(source, where)
    with path.open("rb") as file:
        begin = file.read(len(_NPY))
    if begin != _NPY:
        raise DataError(where, f"{file_name(path)} is no .npy file; numpy.save writes one")
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # the header is Python, and numpy lets through whatever its parser raises
        if "object" in str(error).lower():
            problem = "holds Python objects (pickle), which may run code when they are read: refused; save numbers"
        else:
            problem = f"is damaged or cut short ({printable(error)})"
        raise DataError(where, f"{file_name(path)} {problem}") from None


def _tensor(path: Path, name: str, where: Where) -> NDArray:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            names = list(file.keys())
            if not name and len(names) == 1:
                name = names[0]
            if name not in names:
                problem = unknown("tensor", name, names[:30]) if name else f"holds {listed(names)}; name one: FILE#NAME"
                raise DataError(where, f"{file_name(path)}: {problem}")
            return file.get_tensor(name)
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise DataError(where, f"{file_name(path)} is damaged or cut short ({printable(error)})") from None


def _checked(array: NDArray, name: str, where: Where) -> NDArray:
    """The array, of numbers, in two dimensions that are not too large. Raises DataError."""
    if array.dtype.kind not in "fiu":
        raise DataError(where, f"{name} holds {array.dtype}, and numbers are expected")
    if array.ndim != 2:
        raise DataError(where, f"{name} has the shape {array.shape}, and (elements, numbers) is expected")
    if not array.size:
        raise DataError(where, f"{name} has the shape {array.shape}: there are no numbers in it")
    if array.shape[0] > LONGEST or array.shape[1] > WIDEST:
        raise DataError(
            where,
            f"{name} has the shape {array.shape}, and at most {LONGEST:,} vectors of {WIDEST:,} numbers are read",
        )
    bad = np.flatnonzero(~np.isfinite(array).all(1))
    if len(bad):
        raise DataError(where, f"{name}: vector {bad[0] + 1} of {len(array)} holds a number that is not finite")
    return array
