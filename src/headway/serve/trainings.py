"""Trainings as their metric files tell them, while they run and after. Reading takes nothing from them."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headway.errors import UsageError, file_name, unknown
from headway.serve.limits import Refusal

FILE = "metrics.jsonl"
DEPTH = 4
"""Folders below a watched one in which runs are looked for."""
MOST = 1000
CHUNK = 1 << 19
"""Bytes of events that are sent at a time."""
TAIL = 1 << 16
SILENT = 120.0
"""Seconds after which a training that has written nothing may be dead."""


@dataclass(frozen=True, slots=True)
class News:
    """Events of a training. `after` leads to those that follow.

    restarted    whether these are from the beginning of another file than before
    """

    events: list[dict[str, Any]]
    after: str
    more: bool
    restarted: bool


class Trainings:
    """The runs below some folders, found anew at every look. A client's name is looked up, never a path."""

    def __init__(self, folders: Sequence[Path]):
        for folder in folders:
            if not folder.is_dir():
                raise UsageError(f"--watch {file_name(folder)}: there is no such folder")
        self.folders = [folder.resolve() for folder in folders]

    def files(self) -> dict[str, Path]:
        """The metric file of each run by the run's name."""
        found: dict[str, Path] = {}
        for folder in self.folders:
            for path in _metric_files(folder, DEPTH):
                inside = path.parent.relative_to(folder).as_posix()
                name = folder.name if inside == "." else inside
                found.setdefault(name if name not in found else f"{folder.name}/{name}", path)
                if len(found) == MOST:
                    return found
        return found

    def all(self) -> list[dict[str, Any]]:
        """Every run as plain data, what was changed last first."""
        told = [_told(name, path) for name, path in self.files().items()]
        return sorted((one for one in told if one), key=lambda one: one["changed"])

    def news(self, name: str, after: str) -> News:
        """What a run has written behind `after`; from the beginning where that is empty or of another file.

        Raises Refusal for a name that is not there.
        """
        files = self.files()
        if name not in files:
            raise Refusal("unknown_run", unknown("run", name, list(files)[:50]))
        return news_of(files[name], after)


def _metric_files(folder: Path, depth: int) -> Iterator[Path]:
    try:
        inside = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in inside:
        if entry.name == FILE and entry.is_file():
            yield Path(entry.path)
    for entry in inside:
        if depth and entry.is_dir(follow_symlinks=False) and entry.name != "checkpoints" and entry.name[0] != ".":
            yield from _metric_files(Path(entry.path), depth - 1)


def news_of(path: Path, after: str) -> News:
    """The events of a file behind a place in it: the file's own number, and bytes."""
    try:
        with open(path, "rb") as file:
            told = os.fstat(file.fileno())
            known, _, at = after.partition("-")
            same = known == str(told.st_ino) and at.isdecimal() and len(at) < 19 and int(at) <= told.st_size
            place = int(at) if same else 0
            file.seek(place)
            content = file.read(CHUNK)
    except OSError as error:
        raise Refusal("no_events", error.strerror or "") from None
    whole = content[: content.rfind(b"\n") + 1]  # a line that is being written is read the next time
    behind = place + len(whole)
    more = bool(whole) and behind < told.st_size and len(content) == CHUNK
    return News(list(_events(whole)), f"{told.st_ino}-{behind}", more, bool(after) and not same)


def _events(lines: bytes) -> Iterator[dict[str, Any]]:
    for line in lines.split(b"\n"):
        try:
            event = json.loads(line, parse_constant=lambda _: None)  # what is no finite number is none in JSON
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and isinstance(event.get("step"), int):
            yield event


def _told(name: str, path: Path) -> dict[str, Any] | None:
    """A run as a list shows it: from the begin and the end of its file."""
    try:
        with open(path, "rb") as file:
            size, changed = os.fstat(file.fileno()).st_size, os.fstat(file.fileno()).st_mtime
            begin = file.read(TAIL)
            file.seek(max(0, size - TAIL))
            end = file.read(TAIL)
    except OSError:
        return None
    latest = {event.get("event"): event for event in [*_events(begin[: begin.rfind(b"\n") + 1]), *_events(end)]}
    latest = {kind: event for kind, event in latest.items() if kind in ("start", "step", "valid", "end")}
    steps = latest.get("start", {}).get("steps")
    since = max(0.0, time.time() - changed)
    ended = "end" in latest and latest["end"]["step"] >= latest.get("step", latest["end"])["step"]
    return {
        "name": name,
        "state": "ended" if ended else "running" if since < SILENT else "silent",
        "step": max((event["step"] for event in latest.values()), default=0),
        "steps": steps if isinstance(steps, int) else None,
        "changed": round(since, 1),
        "latest": latest,
    }
