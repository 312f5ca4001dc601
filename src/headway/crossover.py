"""Which of two exact ways is faster here: drafts that are verified, or greedy steps.

Verifying takes fewer calls than writing step by step, and reads as many tokens, and those that were wrong besides: in
large batches, where a call costs what its tokens cost, steps win. Where that is depends on the run and on the machine,
so it is measured, and kept beside the run for each machine: crossover.json.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from headway.errors import RunError
from headway.machine import processor
from headway.storage import read_json, write_json

FILE = "crossover.json"
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
UNMEASURED = 1
"""Rows of a batch that are verified on a machine where it was never measured."""
REPEATS = 3

Answer = Callable[[str, int], object]
"""(mode, rows) -> an answer to a batch of so many rows in that mode, to be timed."""


def machine(device: torch.device) -> str:
    """What a measurement holds for."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{processor()}, threads {torch.get_num_threads()}"


def rows_to_verify(folder: Path, name: str) -> int:
    """Batches of at most so many rows are verified on this machine; what all others can bear where it is unknown."""
    rows = {key: found["rows"] for key, found in known(folder).items()}
    return rows.get(name, min(rows.values(), default=UNMEASURED))


def known(folder: Path) -> dict[str, dict[str, Any]]:
    """What was measured, by machine; nothing where there is no such file or it holds something else."""
    try:
        found = read_json(folder / FILE)
    except RunError:
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {name: one for name, one in entries if isinstance(one, dict) and isinstance(one.get("rows"), int)}


def keep(folder: Path, name: str, found: dict[str, Any]) -> None:
    """Remember what was measured, where the folder can be written to."""
    with contextlib.suppress(RunError, OSError):
        write_json(folder / FILE, known(folder) | {name: found})


def measured(answer: Answer, most: int, seconds: float = 2.0, sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Seconds that both ways take, by batch size, and the largest size at which verifying is faster: `rows`.

    most       rows that there are to measure with
    seconds    after which no larger size is begun
    """
    took: dict[str, dict[str, float]] = {"verify": {}, "greedy": {}}
    rows, begun = 0, time.perf_counter()
    for size in (size for size in sizes if size <= most):
        found: dict[str, list[float]] = {mode: [] for mode in took}
        for _ in range(REPEATS):
            for mode, times in found.items():
                start = time.perf_counter()
                answer(mode, size)
                times.append(time.perf_counter() - start)
        for mode, times in found.items():
            took[mode][str(size)] = min(times)
        if took["verify"][str(size)] >= took["greedy"][str(size)]:
            break
        rows = size
        if time.perf_counter() - begun > seconds:
            break
    return {"rows": rows, "seconds": took}
