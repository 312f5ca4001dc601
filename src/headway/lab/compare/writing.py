"""The files of a comparison: compare.md, compare.html and compare.json, whole and new after every cell."""

import json
from typing import Any

from headway import storage
from headway.lab.compare.markdown import markdown
from headway.lab.compare.page import page
from headway.lab.compare.results import ArmResult, Results
from headway.lab.compare.verdict import verdict


def write_results(results: Results) -> None:
    """Everything that is known, to read, to look at, and for machines. Raises RunError."""
    folder = results.folder
    storage.write(folder / "compare.md", markdown(results).encode())
    storage.write(folder / "compare.html", page(results).encode())
    storage.write(folder / "compare.json", json.dumps(as_json(results), ensure_ascii=False).encode() + b"\n")


def as_json(results: Results) -> dict[str, Any]:
    """Everything as plain values."""
    return {
        "plan": results.plan,
        "metrics": list(results.metrics),
        "signatures": dict(results.signatures),
        "verdict": verdict(results),
        "best": best.name if (best := results.best()) is not None else None,
        "arms": [_arm(arm) for arm in results.arms],
        "pairs": [
            {**vars(pair), "beyond_items": pair.beyond_items, "every_seed": pair.every_seed, "holds": pair.holds}
            for pair in results.pairs
        ],
        "baselines": {method: dict(values) for method, values in results.baselines.items()},
        "cells": [cell for arm in results.arms for cell in arm.cells.values()],
    }


def _arm(arm: ArmResult) -> dict[str, Any]:
    facts = ("steps", "best_step", "seconds", "tokens", "tokens_per_second", "parameters")
    return {
        **arm.told,
        "seeds": list(arm.cells),
        "failed": {str(seed): why for seed, why in arm.failed.items()},
        "metrics": {name: vars(spread) for name, spread in arm.metrics.items()},
        "facts": {name: arm.mean_fact(name) for name in facts} | {"peak_memory": arm.peak_memory},
    }
