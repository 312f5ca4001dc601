"""Timings that can be trusted: subjects take turns in one process, medians with spread, ratios round by round."""

import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from headway.machine import description

RESULTS = Path(__file__).parent / "results"
FOREIGN = 0.10
"""The share of the machine that others may take during a turn; a round with more is repeated."""


def take_turns(
    subjects: Mapping[str, Callable[[], float]],
    rounds: int,
    threads: int,
    say: Callable[[str], None] = print,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Work per second of each subject in each round, A B A B; every subject's first turn is not counted.

    A subject does its work once when it is called and returns how much it was (tokens, sentences). A round in which
    other processes took more than a tenth of a processor's time is done again, at most as often as there are rounds;
    not by `clock` time.process_time, which runs while this process does and not while it waits for them.
    """
    patient = clock is not time.process_time
    for work in subjects.values():
        work()
    found: dict[str, list[float]] = {name: [] for name in subjects}
    noisy = 0
    while len(next(iter(found.values()))) < rounds:
        turns = {name: _turn(work, threads, clock) for name, work in subjects.items()}
        if max(foreign for _, foreign in turns.values()) > FOREIGN and noisy < rounds and patient:
            noisy += 1
            continue
        for name, (speed, _) in turns.items():
            found[name].append(speed)
    if noisy:
        say(f"({noisy} rounds were repeated because other processes ran)")
    return found


def _turn(work: Callable[[], float], threads: int, clock: Callable[[], float]) -> tuple[float, float]:
    """(work per second, the share of one processor that other processes took meanwhile)."""
    busy, own, start, counted = _busy(), time.process_time(), time.perf_counter(), clock()
    amount = work()
    counted, seconds = clock() - counted, time.perf_counter() - start
    foreign = max(0.0, (_busy() - busy) - (time.process_time() - own)) / seconds
    return amount / counted, foreign


def _busy() -> float:
    """Seconds that all processors together have worked since the machine started; 0 where the system does not say."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _, _, irq, soft = map(int, fields[:7])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def spread(values: list[float]) -> str:
    """Median, and the range of all."""
    return f"{statistics.median(values):,.4g} ({min(values):,.4g}-{max(values):,.4g})"


def ratios(found: Mapping[str, list[float]], first: str, second: str) -> list[float]:
    """first / second, round by round."""
    return [a / b for a, b in zip(found[first], found[second], strict=True)]


def record(name: str, rows: list[dict[str, Any]]) -> Path:
    """Keep rows beside a description of the machine, as JSON; what the command named is kept without its folder."""
    RESULTS.mkdir(exist_ok=True)
    path, machine = RESULTS / f"{name}.json", description()
    machine["command"] = [Path(word).name if word.startswith("/") else word for word in machine["command"]]
    path.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1, ensure_ascii=False) + "\n")
    return path
