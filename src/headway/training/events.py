"""What happens in training, told to whoever listens: the log file, the terminal, TensorBoard."""

import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headway import storage


class Listener:
    """Hears of training; each method may be left out."""

    def started(self, facts: Mapping[str, Any]) -> None:
        """Training begins, or goes on, at facts["step"] of facts["steps"]."""

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        """An update was made: loss, learning_rate, tokens, seconds."""

    def evaluated(self, step: int, values: Mapping[str, float], best: bool) -> None:
        """The valid part was answered: metrics by name, and whether the first is the best so far."""

    def split(self, step: int, facts: Mapping[str, Any]) -> None:
        """Memory was short before this step was done: from it on batches of such a length go in pieces."""

    def saving(self, folder: Path) -> None:
        """A checkpoint is written in this folder: what was told until now may be kept with it."""

    def said(self, text: str) -> None:
        """Something a person should know."""

    def finished(self, facts: Mapping[str, Any]) -> None:
        """Training is over."""


class Together(Listener):
    """Several listeners as one."""

    def __init__(self, listeners: Sequence[Listener]):
        self.listeners = listeners

    def started(self, facts: Mapping[str, Any]) -> None:
        for listener in self.listeners:
            listener.started(facts)

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        for listener in self.listeners:
            listener.stepped(step, values)

    def evaluated(self, step: int, values: Mapping[str, float], best: bool) -> None:
        for listener in self.listeners:
            listener.evaluated(step, values, best)

    def split(self, step: int, facts: Mapping[str, Any]) -> None:
        for listener in self.listeners:
            listener.split(step, facts)

    def saving(self, folder: Path) -> None:
        for listener in self.listeners:
            listener.saving(folder)

    def said(self, text: str) -> None:
        for listener in self.listeners:
            listener.said(text)

    def finished(self, facts: Mapping[str, Any]) -> None:
        for listener in self.listeners:
            listener.finished(facts)


class Sentences(Listener):
    """Keeps what was said."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def said(self, text: str) -> None:
        self.all.append(text)


class EventLog(Listener):
    """`metrics.jsonl`: a line an event, each with `event` and `step`; after a resume it goes on from the checkpoint.

    A checkpoint holds the log until then, so neither a loss of power nor a damaged file takes a line away.

    checkpoint    what training goes on from
    changed       whether the log does not begin with what the checkpoint holds of it
    """

    def __init__(self, path: Path, checkpoint: Path | None = None):
        self.path, self.kept, self.changed = path, None, False
        if checkpoint is not None and (checkpoint / path.name).is_file():
            self.kept = (checkpoint / path.name).read_bytes()
            self.changed = not path.is_file() or not path.read_bytes().startswith(self.kept)
        self.lines: list[bytes] = []

    def started(self, facts: Mapping[str, Any]) -> None:
        step = int(facts["step"])
        if self.kept is None:
            events = [one for one in read_events(self.path) if one["step"] <= step and one.get("event") != "end"]
            self.kept = "".join(json.dumps(event) + "\n" for event in events).encode()
        self.lines = [self.kept]
        storage.write(self.path, self.kept)
        self._line("start", step, facts)

    def saving(self, folder: Path) -> None:
        storage.write(folder / self.path.name, b"".join(self.lines))

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        self._line("step", step, values)

    def evaluated(self, step: int, values: Mapping[str, float], best: bool) -> None:
        self._line("valid", step, {**values, "best": best})

    def split(self, step: int, facts: Mapping[str, Any]) -> None:
        self._line("split", step, facts)

    def finished(self, facts: Mapping[str, Any]) -> None:
        self._line("end", int(facts["step"]), facts)

    def _line(self, event: str, step: int, values: Mapping[str, Any]) -> None:
        line = json.dumps({"event": event, **values, "step": step}).encode() + b"\n"
        self.lines.append(line)
        try:
            with open(self.path, "ab") as file:
                file.write(line)
        except OSError as error:
            raise storage.not_written(self.path, error) from error


def read_events(path: Path) -> list[dict[str, Any]]:
    """The events of a log; a line that was cut by a crash is left out."""
    events = []
    if path.is_file():
        for line in path.read_bytes().split(b"\n"):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and isinstance(event.get("step"), int):
                events.append(event)
    return events


class TensorBoard(Listener):
    """The same figures for TensorBoard, in the folder `tensorboard` of the run.

    Silent where it is not installed, or where it cannot write: training does not end for a second copy of its figures.
    Written in this thread and unbuffered: the package's own writer has a thread, which tells the user what fails there.
    """

    def __init__(self, folder: Path):
        self.file, self.record = None, None
        with contextlib.suppress(ImportError, OSError):
            from tensorboard.summary.writer.record_writer import RecordWriter

            folder.mkdir(parents=True, exist_ok=True)
            self.file = open(folder / f"events.out.tfevents.{time.time_ns()}.headway", "wb", buffering=0)  # noqa: SIM115
            self.record = RecordWriter(self.file)
            self._write(file_version="brain.Event:2")

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        self._values("train", step, values)

    def evaluated(self, step: int, values: Mapping[str, float], best: bool) -> None:
        self._values("valid", step, values)

    def finished(self, facts: Mapping[str, Any]) -> None:
        self.close()

    def close(self) -> None:
        """Write no more."""
        if self.file is not None:
            self.file.close()
        self.file, self.record = None, None

    def _values(self, part: str, step: int, values: Mapping[str, float]) -> None:
        if self.record is not None:
            from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

            named = [Summary.Value(tag=f"{part}/{name}", simple_value=value) for name, value in values.items()]
            self._write(step=step, summary=Summary(value=named))

    def _write(self, **what: Any) -> None:
        if self.record is not None:
            from tensorboard.compat.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]

            try:
                self.record.write(Event(wall_time=time.time(), **what).SerializeToString())
            except OSError:
                self.close()
