"""Whether two run folders are of the same training: every byte but what clocks and machines say."""

import json
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from headway.training.events import read_events

CLOCKS = {"seconds", "tokens_per_second", "peak_memory", "baselines"}
TIMED = {"progress.json", "metrics.jsonl", "results.json", "environment.json", "plan.json"}
"""Files with times in them: what else they say is compared."""
MEASURED = {"report.html", "crossover.json"}
"""Files of times: they must be there."""


def differences(run: Path, whole: Path, but: Sequence[str] = ()) -> list[str]:
    """A line for each file of the two that differs.

    but    patterns of files that do not count
    """
    names, expected = ({name for name in _files(of) if not any(fnmatch(name, b) for b in but)} for of in (run, whole))
    found = [f"{name} is only in {run}" for name in sorted(names - expected)]
    found += [f"{name} is missing in {run}" for name in sorted(expected - names)]
    for name in sorted(names & expected):
        if _content(run / name) != _content(whole / name):
            found.append(f"{name} differs")
    return found


def _files(run: Path) -> set[str]:
    files = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    return {name for name in files if not name.startswith("tensorboard")}  # named by time, a copy of the log


def _content(path: Path) -> Any:
    if path.name == "manifest.json" and path.parent.name.startswith("step-"):
        return sorted(json.loads(path.read_bytes())["files"])  # the checksums are of files with times
    if path.name in MEASURED:
        return None
    if path.name not in TIMED:
        return path.read_bytes()
    if path.name == "metrics.jsonl":
        return [_untimed(event) for event in read_events(path) if event["event"] != "start"]
    return _untimed(json.loads(path.read_bytes()))


def _untimed(value: Any) -> Any:
    if isinstance(value, dict):
        left_out = CLOCKS | {"machine", "checksum"}
        return {name: _untimed(below) for name, below in value.items() if name not in left_out}
    return value
