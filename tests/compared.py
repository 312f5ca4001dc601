"""Finished comparisons that were never trained: right and wrong answers are given, everything else is made up."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headway.lab.compare.bootstrap import resampled_sums

Right = Mapping[str, Mapping[int, Sequence[int] | str]]
"""For every arm and seed which items are right (1) and which are wrong (0), or why training failed."""


def comparison(folder: Path, right: Right, seeds: Sequence[int] = (0, 1), ladder: Sequence[dict] = ()) -> Path:
    """The folder of a comparison of accuracy on the test part; seeds that an arm has not are not finished."""
    cells = [(arm, seed) for seed in seeds for arm in right]
    arms = [_arm(name, number, ladder) for number, name in enumerate(right)]
    plan = {
        "format": 1,
        "version": "0",
        "command": "headway compare news --axis model.encoder.mixer=a,b",
        "data": {"path": "data/news", "part": "test", "how": "as given", "counts": {}, "fingerprints": {}},
        "axes": {"model.encoder.mixer": list(right)},
        "budget": {"words": "12 updates for every arm and seed"},
        "seeds": list(seeds),
        "jobs": 1,
        "flops": "counted",
        "said": ["the first\nand the second"],
        "arms": arms,
        "cells": [{"arm": arm, "seed": seed, "folder": f"cells/{arm}-{seed}"} for arm, seed in cells],
    }
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps(plan))
    for number, (arm, seed) in enumerate(cells):
        if seed in right[arm]:
            path = folder / "cells" / f"{arm}-{seed}"
            path.mkdir(parents=True)
            (path / "cell.json").write_text(json.dumps(_cell(right[arm][seed], number)))
    return folder


def _arm(name: str, number: int, ladder: Sequence[dict]) -> dict[str, Any]:
    told = {"name": name, "choices": {}, "dropped": [], "parameters": 1000 + number, "flops_per_token": 6.5e6}
    return {**told, "learning_rate": 0.004, "ladder": list(ladder)}


def _cell(right: Sequence[int] | str, number: int) -> dict[str, Any]:
    about = {"version": "0", "machine": {"processor": "one", "gpu": None, "threads": 1, "revision": None}}
    if isinstance(right, str):
        return {**about, "failed": right}
    amounts = np.array(right, np.float64)
    sums = np.stack([amounts, np.ones(len(amounts))], 1)
    values = resampled_sums(sums, lambda s: s[:, 0] / s[:, 1])
    value = float(amounts.mean())
    return {
        **about,
        "values": {"accuracy": value},
        "signatures": {"accuracy": "accuracy|version:0"},
        "baselines": {"majority": {"test": {"accuracy": 0.25}}} if number == 0 else {},
        "metrics": {"valid": {"accuracy": value}, "test": {"accuracy": value}},
        "facts": {
            "steps": 12,
            "best_step": 8 + number,
            "seconds": 66.0,
            "tokens": 1800,
            "tokens_per_second": 2500.0,
            "parameters": 1000,
            "peak_memory": 300_000_000 + number * 1_000_000,
        },
        "curve": [[4, 20.0, 0.5], [8, 40.0, 0.6], [12, 60.0, value]],
        "items": {
            "count": len(right),
            "every": 1,
            "unit": "words",
            "lengths": [2 + i % 7 for i in range(len(right))],
            "score": "accuracy",
            "percent": True,
            "higher_is_better": True,
            "amounts": amounts.tolist(),
            "weights": [1.0] * len(right),
        },
        "resampled": {"accuracy": {"by": "sums", "values": values.tolist()}},
    }


def some(wrong: Sequence[int], of: int = 40) -> list[int]:
    """All right but these."""
    return [int(i not in set(wrong)) for i in range(of)]
