"""One process on one core, two on two, in turn; what settings cost; and the page with the model of costs.

    python -m benchmarks.scaling                     measure, keep the results, write docs/scaling.md
    python -m benchmarks.scaling --settings          precision, threads, recomputation, compilation, each against none
                                                     (bfloat16 takes a minute an update where the processor has none)
    python -m benchmarks.scaling --device cuda       one GPU: the figure that the predictions for GPUs begin with
    python -m benchmarks.scaling --write             docs/scaling.md from what is kept

Two processes on two cores are compared with one on one core round by round; the machine should be otherwise idle.
"""

import argparse
import json
import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scaling.page import page
from benchmarks.scaling.subjects import Subject
from benchmarks.timing import RESULTS, record, spread

DOCS = Path(__file__).parents[2] / "docs"
UPDATES = 3
SUMS = (1 << 10, 1 << 16, 1 << 20, 1 << 22, 25 << 20)
ALONE: Mapping[str, Mapping[str, Any]] = {
    "float32, 1 thread": {},
    "medium, 1 thread": {"precision": "medium"},
    "bfloat16, 1 thread": {"precision": "bfloat16"},
    "recompute, 1 thread": {"recompute": True},
    "compile, 1 thread": {"compile": True},
    "2 threads": {"threads": 2},
    "2 threads, 2 parts side by side": {"threads": 2, "parts": 2},
}
"""Settings that are measured against the first."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", default="small", choices=["small", "base"])
    parser.add_argument("--precision", default="float32", choices=["float32", "medium", "bfloat16"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--cores", type=int, nargs=2, help="the two cores; the first two of this process if not given")
    parser.add_argument(
        "--settings",
        nargs="*",
        metavar="NAME",
        choices=list(ALONE)[1:],
        help=f"all, or of {', '.join(list(ALONE)[1:])}",
    )
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.write:
        (DOCS / "scaling.md").write_text(page(RESULTS), encoding="utf-8")
        return
    usual = {"size": given.size, "precision": given.precision, "device": given.device}
    if given.settings is not None:
        names = given.settings or list(ALONE)[1:]
        settings(given.rounds, usual, names)
    elif given.device != "cpu":
        print(f"kept in {record(f'scaling_{given.device}_{given.size}', [single(given.rounds, usual)])}")
    else:
        cores = given.cores or [*sorted(os.sched_getaffinity(0)), *sorted(os.sched_getaffinity(0))][:2]
        print(f"kept in {record(f'scaling_{given.size}', [scaling(given.rounds, usual, cores)])}")


def scaling(rounds: int, usual: Mapping[str, Any], cores: Sequence[int]) -> dict[str, Any]:
    """One process with a whole update, one with half of it, two with the whole, round by round."""
    subjects = {
        "one": Subject(cores[:1], **usual),
        "half": Subject(cores[:1], **usual, fewer=2),
        "two": Subject(cores, **usual),
    }
    try:
        found = in_turn(subjects, rounds)
        sums = {str(size): subjects["two"].turn("sum", size)["seconds"] for size in SUMS}
        facts = {name: subject.facts for name, subject in subjects.items()}
    finally:
        for subject in subjects.values():
            subject.close()
    speeds = {name: [turn["tokens"] / turn["seconds"] for turn in turns] for name, turns in found.items()}
    ratio = [two / one for one, two in zip(speeds["one"], speeds["two"], strict=True)]
    for name, values in speeds.items():
        print(f"{name:5} {spread(values)} target tokens a second")
    print(f"two processes / one: {spread(ratio)}", flush=True)
    return {
        **usual,
        "cores": list(cores),
        "turns": found,
        "sums": sums,
        "facts": facts,
        "ratio": statistics.median(ratio),
    }


def settings(rounds: int, usual: Mapping[str, Any], names: Sequence[str]) -> None:
    """Each setting against none, two subjects at a time: more would not fit beside each other; each is kept at once."""
    kept = RESULTS / f"scaling_settings_{usual['size']}.json"
    rows = {row["setting"]: row for row in json.loads(kept.read_text("utf-8"))["rows"]} if kept.is_file() else {}
    cores = sorted(os.sched_getaffinity(0))
    first = next(iter(ALONE))
    for name, changed in [(name, ALONE[name]) for name in names]:
        where = None if changed.get("threads", 1) > 1 else cores[-1]
        subjects = {first: Subject([cores[-1]], **usual), name: Subject([where], **{**usual, **changed})}
        try:
            found = in_turn(subjects, rounds)
        finally:
            for subject in subjects.values():
                subject.close()
        speeds = {one: [turn["tokens"] / turn["seconds"] for turn in turns] for one, turns in found.items()}
        ratio = [b / a for a, b in zip(speeds[first], speeds[name], strict=True)]
        peaks = [found[one][-1]["peak"] - subjects[one].facts["program"] for one in (first, name)]
        print(f"{name:32} {spread(ratio)} x the speed, {peaks[1] / peaks[0]:.2f} x the memory of {first}", flush=True)
        rows[name] = {"setting": name, "against": first, "ratio": ratio, "memory": peaks, "speeds": speeds}
        print(f"kept in {record(kept.stem, [rows[name] for name in ALONE if name in rows])}", flush=True)


def single(rounds: int, usual: Mapping[str, Any]) -> dict[str, Any]:
    """One device with a whole update and with half of it."""
    subjects = {"one": Subject([None], **usual), "half": Subject([None], **usual, fewer=2)}
    try:
        found = in_turn(subjects, rounds, updates=30)
    finally:
        for subject in subjects.values():
            subject.close()
    print(f"{spread([turn['tokens'] / turn['seconds'] for turn in found['one']])} target tokens a second", flush=True)
    return {**usual, "turns": found, "facts": {name: subject.facts for name, subject in subjects.items()}}


def in_turn(subjects: Mapping[str, Subject], rounds: int, updates: int = UPDATES) -> dict[str, list[dict[str, Any]]]:
    """Each subject's turn in every round; the first round is not counted."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in subjects}
    for number in range(rounds + 1):
        for name, subject in subjects.items():
            turn = subject.turn("updates", updates)
            if number:
                found[name].append(turn)
    return found


if __name__ == "__main__":
    main()
