"""The resident memory of a command over time, as the system counts it, its processes' children with it."""

import re
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FIELDS = {"VmRSS": "resident", "RssAnon": "own", "RssFile": "mapped"}
"""Lines of /proc/PID/status: all that is in memory, what no file has, what lies in files too."""


def watched(command: Sequence[str], every: float = 1.0) -> dict[str, Any]:
    """Run a command to its end; its seconds, and a sample of its memory every so many seconds."""
    start, samples = time.perf_counter(), list[dict[str, float]]()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines: list[str] = []
        listener = threading.Thread(target=_listen, args=(process, lines), daemon=True)
        listener.start()
        while process.poll() is None:
            if found := _resident(process.pid):
                samples.append({"seconds": round(time.perf_counter() - start, 1), **found})
            time.sleep(every)
        listener.join()
    if process.returncode:
        raise RuntimeError("".join(lines))
    return {"seconds": round(time.perf_counter() - start, 1), "samples": samples}


def _listen(process: subprocess.Popen[str], lines: list[str]) -> None:
    assert process.stdout is not None
    lines.extend(process.stdout)


def _resident(pid: int) -> dict[str, float]:
    """Megabytes of a process and of those that it started; nothing where it has ended."""
    total = dict.fromkeys(FIELDS.values(), 0.0)
    for one in [pid, *_children(pid)]:
        try:
            status = Path(f"/proc/{one}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        for name, kind in FIELDS.items():
            if found := re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE):
                total[kind] += int(found[1]) * 1024 / 1e6
    return {name: round(value, 1) for name, value in total.items()} if any(total.values()) else {}


def _children(pid: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in path.read_text().split()]
        except OSError:
            continue
    return found
