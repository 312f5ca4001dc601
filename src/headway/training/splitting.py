"""Batches that memory has no room for go through the model in pieces, and training goes on.

Losses are sums with counts, so an update in pieces has the gradient of the whole. From then on batches of this length
and above are cut from the start; that is written beside the checkpoints, with the step from which it holds, so a run
that is resumed from before takes the same pieces at the same steps.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from headway import storage
from headway.data.batching import cut
from headway.errors import LackOfMemory, RunError, Where
from headway.training.memory import DoesNotFit, Lack, within_memory
from headway.training.settings import MachineSettings, TrainingSettings

CONCERNED = 0.8
"""A limit that one length has met holds for lengths from so much of it on."""
FILE = "memory.json"

T = TypeVar("T")


@dataclass(frozen=True)
class Limit:
    """From a step on, batches whose longest row has `length` elements or more are at most so many padded tokens.

    row, rows    the longest row of the batch that did not fit, and how many it had
    """

    step: int
    length: int
    tokens: int
    row: int
    rows: int


class Limits:
    """What has been learned of memory while a run was trained.

    folder    that of the checkpoints, where it is kept
    """

    def __init__(self, folder: Path, found: Iterable[Limit] = ()):
        self.path, self.all = folder / FILE, list(found)

    @classmethod
    def read(cls, folder: Path, warn: Callable[[str], object]) -> "Limits":
        """Those of a run that goes on; a damaged file is named through `warn`, and they are found again."""
        if not (folder / FILE).is_file():
            return cls(folder)
        try:
            return cls(folder, [Limit(**each) for each in storage.read_sealed(folder / FILE)["limits"]])
        except RunError as error:
            warn(f"{error}; what fits into memory is found again")
        except (TypeError, KeyError):
            warn(f"{folder / FILE} is damaged; what fits into memory is found again")
        return cls(folder)

    def lower(self, step: int, lack: Lack, write: bool) -> Limit:
        """Allow less for batches like this one. Raises RunError where that cannot be kept."""
        limit = Limit(step, math.ceil(CONCERNED * lack.length), lack.fits * lack.length, lack.row, lack.rows)
        self.all.append(limit)
        if write:
            storage.write_sealed(self.path, {"limits": [asdict(each) for each in self.all]})
        return limit

    def met(self, step: int) -> list[Limit]:
        """Those that hold from this very step on."""
        return [limit for limit in self.all if limit.step == step]

    def tokens(self, length: int, step: int) -> int | None:
        """Padded tokens of a batch with this longest row; None where nothing limits them."""
        concerned = (limit.tokens for limit in self.all if limit.step <= step and limit.length <= length)
        return min(concerned, default=None)

    def pieces(
        self, rows: NDArray[np.int64], costs: NDArray[np.int64], micro: int | None, step: int
    ) -> list[NDArray[np.int64]]:
        """A batch, or what it is cut into: a function of its rows, the limits and the step."""
        limit = self.tokens(int(costs[rows].max()), step) if self.all else None
        least = min((each for each in (limit, micro) if each is not None), default=None)
        return [rows] if least is None else cut(rows, costs, least)


def said(lack: Lack, where: Where, step: int, limit: Limit, prevention: str) -> str:
    """What a person is told of a batch that is cut."""
    what = f"{lack.rows:,} examples of up to {lack.length:,} tokens (the longest is {where})"
    if lack.needed:
        begin = f"memory is short at step {step:,}: {what} would take about {size(lack.needed)}, and {size(lack.free)} "
        begin += "are free"
    else:
        begin = f"out of memory at step {step:,}: {what} did not fit"
    return (
        f"{begin}. From here on batches of {limit.length:,} tokens a row and more go through the model in pieces of at "
        f"most {limit.tokens:,}; the gradient stays the same. What prevents it: {prevention}"
    )


def hopeless(lack: Lack, where: Where, prevention: str) -> LackOfMemory:
    """The complaint about one example that does not fit alone."""
    numbers = f": it takes at least {size(lack.needed)}, and {size(lack.free)} are free" if lack.needed else ""
    what = "this example" if lack.rows == 1 else f"one of {lack.rows:,} examples, this the longest,"
    return LackOfMemory(
        f"{where}: {what} of {lack.length:,} tokens does not fit into memory{numbers}. What helps: {prevention}; what "
        "was saved before is intact"
    )


def prevention(
    training: TrainingSettings, machine: MachineSettings, lack: Lack, side_by_side: int = 1, divided: bool = False
) -> str:
    """The settings that take less memory, as far as they are not set already.

    side_by_side    parts of an update that are worked on at once
    divided         whether the model is divided among processes, whose batches cannot be split while they run
    """
    found = [] if lack.rows == 1 else [f"a smaller training.tokens (now {training.tokens:,})"]
    if divided:
        found.append("machine.micro_tokens")
    found.append(f"data.max_length below {lack.length:,}")
    if machine.precision != "bfloat16":
        found.append("machine.precision bfloat16")
    if not machine.recompute:
        found.append("machine.recompute true (activation checkpointing)")
    if side_by_side > 1:
        found.append("machine.parts 1 (nothing side by side)")
    if lack.rows == 1:
        found.append("a smaller model")
    return ", ".join(found)


def too_long_to_answer(where: Where, length: int) -> LackOfMemory:
    """The complaint about one example whose answer does not fit into memory."""
    return LackOfMemory(
        f"{where}: this example of {length:,} elements does not fit into memory, answered alone as it is. Give it in "
        f"shorter pieces, or take a run with data.max_length below {length:,} and data.over_long window or truncate"
    )


def size(number: int) -> str:
    """Bytes as people read them."""
    return f"{number / 1e9:,.1f} GB" if number >= 1e9 else f"{number / 1e6:,.0f} MB"


# ------------------------------------------------------------------------------------------------------------ answering


def in_pieces(
    batches: Iterable[NDArray[np.int64]],
    costs: NDArray[np.int64],
    work: Callable[[NDArray[np.int64]], T],
    fits: Callable[[int, int], int],
    alone: Callable[[int], Exception],
    freed: Callable[[], object],
) -> Iterator[T]:
    """What `work` gives for each batch, or for its pieces where memory is short; then less for all that follow.

    batches   the longest rows first
    fits      (rows, length) -> rows that may go at once
    alone     the error about a row that does not fit alone
    freed     is called before a piece is tried
    """
    most: int | None = None
    for rows in batches:
        length = int(costs[rows].max())
        foreseen = fits(len(rows), length) * length
        waiting = cut(rows, costs, min(foreseen, most or foreseen))
        while waiting:
            some = waiting.pop(0)
            try:
                yield within_memory(some.tolist(), lambda some=some: work(some))
                continue
            except DoesNotFit:
                pass
            freed()
            if len(some) == 1:
                raise alone(int(some[0]))
            most = int(costs[some].max()) * ((len(some) + 1) // 2)
            waiting = [piece for each in (some, *waiting) for piece in cut(each, costs, most)]
