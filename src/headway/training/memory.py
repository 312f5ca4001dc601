"""How much memory is free, and what a batch takes of it.

A GPU says when its memory is out, and the batch is tried again in pieces. A CPU's system kills without a word, so what
a batch will take is estimated, and held against what is free, before it runs.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from headway.errors import lacks_memory

SMALL = 64 << 20
"""Bytes below which nothing is looked at: no machine that has loaded torch lacks them."""
SHARE = 0.9
"""Of what is free, how much a batch may take."""
WORKING = 2
"""What an update takes at most, in terms of what it keeps for the gradients: those of the activations come beside."""
HELD_AT_ONCE = 3
"""Numbers of a bound for every output of a product: itself, what a nonlinearity and what dropout keep of it."""
SWAP, FREE = (re.compile(rf"^{name}:\s+(\d+) kB$", re.MULTILINE) for name in ("SwapFree", "MemAvailable"))

T = TypeVar("T")


class DoesNotFit(Exception):
    """Memory was out while these rows went through the model."""

    def __init__(self, rows: Sequence[int]):
        super().__init__(f"{len(rows)} rows")
        self.rows = tuple(rows)


def within_memory(rows: Sequence[int], work: Callable[[], T]) -> T:
    """What `work` gives for these rows. Raises DoesNotFit, which holds nothing that `work` had in memory."""
    try:
        return work()
    except Exception as error:
        if not lacks_memory(error):
            raise
    raise DoesNotFit(rows)  # out here: the error above, and all that its frames hold, is gone


def give_back(device: torch.device) -> None:
    """Return what torch keeps free on a GPU, where it may lie in pieces that are too small."""
    if device.type in ("cuda", "mps"):
        getattr(torch, device.type).empty_cache()


# -------------------------------------------------------------------------------------------------------- what is free


def free_memory() -> int | None:
    """Bytes that this process may still take: what the system, its control groups and its limits leave; None: unknown.

    What is free in the heap of this process counts as taken.
    """
    found = [amount for amount in (_of_system(FREE), *_of_groups(), *_of_limits()) if amount is not None]
    return max(0, min(found)) if found else None


def free_swap() -> int:
    """Bytes that the system may still move to a disk: it grows slow there, and does not kill yet."""
    return _of_system(SWAP) or 0


def _of_system(what: re.Pattern[str], path: Path = Path("/proc/meminfo")) -> int | None:
    with contextlib.suppress(OSError):
        found = what.search(path.read_text(encoding="ascii", errors="replace"))
        return int(found[1]) * 1024 if found else None
    return None


def _of_groups(own: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> Iterator[int]:
    """What every memory control group that this process is in leaves; files that can be dropped count as free."""
    lines: list[str] = []
    with contextlib.suppress(OSError):
        lines = own.read_text(encoding="utf-8", errors="replace").splitlines()
    for line in lines:
        kinds, _, path = line.partition(":")[2].partition(":")
        if kinds not in ("", "memory"):
            continue
        most, used, stat, files = V1 if kinds else V2
        top = root / "memory" if kinds else root / "unified" if (root / "unified").is_dir() else root
        parts = [part for part in path.split("/") if part and part != ".."]
        for depth in range(len(parts) + 1):
            folder = top.joinpath(*parts[:depth])
            with contextlib.suppress(OSError, ValueError):  # "max" is no number: there is no limit
                limit, taken = (int((folder / name).read_text(encoding="ascii")) for name in (most, used))
                droppable = re.search(rf"^{files} (\d+)$", (folder / stat).read_text(encoding="ascii"), re.MULTILINE)
                yield limit - taken + (int(droppable[1]) if droppable else 0)


V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat", "total_inactive_file")
V2 = ("memory.max", "memory.current", "memory.stat", "inactive_file")
"""Files of control groups, of the first and the second version: limit, use, statistics; and a line of those."""


def _of_limits() -> Iterator[int]:
    """What the limits of this process leave, as ulimit sets them."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        for limit, name in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
            most, taken = resource.getrlimit(limit)[0], re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
            if most != resource.RLIM_INFINITY and taken is not None:
                yield most - int(taken[1]) * 1024


# ------------------------------------------------------------------------------------------------- what a batch takes


class Bound(NamedTuple):
    """Numbers of 4 bytes that a row keeps at most, by the sizes of the weights alone: of elements and pairs of them."""

    element: int
    pair: int

    def bytes(self, rows: int, length: int) -> int:
        """Of a batch of so many rows, padded to a length."""
        return 4 * rows * length * (self.element + length * self.pair)


_bounds: WeakKeyDictionary[nn.Module, Bound] = WeakKeyDictionary()


def bound_of(model: nn.Module) -> Bound:
    """The bound of a model, as though nothing of what its layers make were ever freed."""
    if model not in _bounds:
        heads = [getattr(module, "heads", None) for module in model.modules()]
        pairs = 1 + sum(number for number in heads if isinstance(number, int))
        matrices = [p.shape for p in model.parameters() if p.dim() >= 2]
        _bounds[model] = Bound(HELD_AT_ONCE * sum(s[0] + s[1] for s in matrices), HELD_AT_ONCE * pairs)
    return _bounds[model]


def keeping(model: nn.Module, kept: dict[int, int]) -> saved_tensors_hooks:
    """Inside, what is kept for the gradients is noted in `kept`: bytes by address, weights left out."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    return saved_tensors_hooks(note, lambda tensor: tensor)


class Lack(NamedTuple):
    """A batch that does not fit.

    row       the longest, with `length` elements, of so many `rows`
    fits      rows that are to go through the model at once instead; 0 where not even one does
    needed    bytes that it is estimated to take, and those that are free; 0 where nobody knows
    """

    row: int
    length: int
    rows: int
    fits: int
    needed: int = 0
    free: int = 0


def lack_of(rows: Sequence[int], costs: NDArray[np.int64]) -> Lack:
    """A batch that did not fit: half of it is tried next."""
    longest = max(rows, key=lambda row: costs[row])
    return Lack(int(longest), int(costs[longest]), len(rows), (len(rows) + 1) // 2 if len(rows) > 1 else 0)


class Foresight:
    """Would the batches of an update fit, on a CPU?

    The sizes of the weights give a bound, and where it is far from what is free nothing more is done. Else it is
    measured what single rows of an eighth, half and all of the length keep for their gradients.

    kept     bytes that a row of the data keeps for the gradients, alone
    once     bytes that the first update takes and all later ones have: gradients, and states of the optimizer
    """

    def __init__(self, model: nn.Module, costs: NDArray[np.int64], kept: Callable[[int], int], once: Callable[[], int]):
        self.costs, self.bound, self.once = costs, bound_of(model), once
        self._measure, self._each, self._least = kept, dict[int, int](), dict[int, int]()
        self._ran, self._most = list[tuple[int, int]](), 0

    def lack(self, parts: Sequence[Sequence[NDArray[np.int64]]]) -> Lack | None:
        """The largest batch of parts that are worked on side by side, where memory would be short; else None."""
        largest = [max(part, key=self._size) for part in parts if part]
        sizes = [(len(rows), self._longest(rows)) for rows in largest]
        bound = sum(self.bound.bytes(*size) for size in sizes)
        if bound <= max(SMALL, self._most):
            return None
        free, once = free_memory(), 0 if self._ran else self.once()
        if free is None or WORKING * bound + once <= free / 2:
            return None
        held, needs = WORKING * self._kept(self._ran, free), [self._kept([size], free) for size in sizes]
        if WORKING * sum(needs) + once - held <= SHARE * free:
            return None
        at = max(range(len(sizes)), key=lambda number: (sizes[number][0] > 1, needs[number]))
        (rows, length), row = sizes[at], int(largest[at][np.argmax(self.costs[largest[at]])])
        room = max(0.0, (SHARE * free + held - once) / len(sizes))
        if rows > 1:
            fits = min(rows - 1, max(1, int(room * rows / (WORKING * max(needs[at], 1)))))
            return Lack(row, length, rows, fits, WORKING * sum(needs) + once, free)
        least = sum(int(self._of_row(length, free, self._least)) for _, length in sizes) + once - held
        return Lack(row, length, 1, 0, least, free) if least > free + free_swap() else None

    def ran(self, parts: Sequence[Sequence[NDArray[np.int64]]]) -> None:
        """These have gone through: the memory that they took stays with the process."""
        sizes = [(len(rows), self._longest(rows)) for rows in (max(part, key=self._size) for part in parts if part)]
        bound = sum(self.bound.bytes(*size) for size in sizes)
        if bound >= self._most:
            self._ran, self._most = sizes, bound

    def _size(self, rows: NDArray[np.int64]) -> int:
        return self.bound.bytes(len(rows), self._longest(rows))

    def _longest(self, rows: NDArray[np.int64]) -> int:
        return int(self.costs[rows].max())

    def _kept(self, sizes: Sequence[tuple[int, int]], free: int) -> int:
        return sum(int(rows * self._of_row(length, free)) for rows, length in sizes)

    def _of_row(self, length: int, free: int, each: Mapping[int, int] | None = None) -> float:
        """Bytes that a row of this length keeps: its share of what a longer one does, which can only be too much."""
        if length > max(self._each, default=0):
            for wanted in (length // 8, length // 2, length):
                self._look_at(int(np.argmin(np.abs(self.costs - wanted))), free)
        longer = min(known for known in self._each if known >= length)
        return (self._each if each is None else each)[longer] * length / longer

    def _look_at(self, row: int, free: int) -> None:
        """Measure a row, unless by what shorter ones keep it may take half of what is free alone: then bounds stand."""
        length, known = int(self.costs[row]), max(self._each, default=0)
        if length in self._each:
            return
        most, least = self.bound.bytes(1, length), 0
        if known and known < length:
            most = min(most, int(self._each[known] * (length / known) ** 2))
            least = int(self._least[known] * length / known)
        if WORKING * most <= free / 2:
            most = least = self._measure(row)
        self._each[length], self._least[length] = most, least


def rows_that_fit(model: nn.Module, device: torch.device, side_by_side: int, rows: int, length: int) -> int:
    """Of so many rows of a length, how many may be answered at once on a CPU by the bound of the model; at least one.

    side_by_side    sequences that are written for each row
    """
    each = bound_of(model).bytes(1, length) * side_by_side / HELD_AT_ONCE
    if device.type != "cpu" or rows * each <= SMALL:
        return rows
    free = free_memory()
    return rows if free is None else max(1, min(rows, int(SHARE * free / each)))
