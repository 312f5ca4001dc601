"""One trial as a process: watched at every evaluation, ended where it lags behind the others."""

import contextlib
import json
import math
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from headway.lab.compare.cells import Cell
from headway.machine import how_ended

Hears = Callable[[Mapping[str, Any]], bool]
"""Told what a trial tells; whether to end it."""


def tried(cell: Cell, hear: Hears, stop: threading.Event) -> str | None:
    """Train a cell to its end, or from where it stopped: what went wrong; None where it has its result, or was ended.

    stop    set from outside, the trial saves and ends
    """
    cell.write()
    last: dict[str, Any] = {}
    command = [sys.executable, "-m", "headway.lab.compare.process", str(cell.folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
    with (
        open(cell.folder / "log.txt", "w", encoding="utf-8") as log,
        subprocess.Popen(command, stderr=log, start_new_session=True, **pipes) as process,
    ):
        ended = _watched(process, hear, stop, last)
    if ended or stop.is_set() or (process.returncode == 0 and cell.result is not None):
        return None
    text = (cell.folder / "log.txt").read_text(encoding="utf-8", errors="replace").strip()
    return str(last.get("message") or (text.splitlines() or [how_ended(process.returncode)])[-1])


def _watched(process: "subprocess.Popen[str]", hear: Hears, stop: threading.Event, last: dict[str, Any]) -> bool:
    """Whether the process was ended because it lags behind."""
    assert process.stdin is not None and process.stdout is not None
    ended = told = False
    try:
        for line in process.stdout:
            last.clear()
            last.update(json.loads(line))
            if not ended and hear(last):
                ended = True
                process.stdin.close()  # which ends it at once
            if stop.is_set() and not told and not ended:
                told = True
                with contextlib.suppress(OSError):  # it has ended by itself
                    process.stdin.write("stop\n")
                    process.stdin.flush()
    except BaseException:
        process.stdin.close()
        raise
    return ended


def value_of(result: Mapping[str, Any] | None) -> float | None:
    """The valid part's first metric with the best weights; None where training diverged."""
    if result is None or "failed" in result:
        return None
    value = next(iter(result["metrics"]["valid"].values()))
    return value if math.isfinite(value) else None
