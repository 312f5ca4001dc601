"""What happens in training, told to whoever listens: the log file, the terminal, TensorBoard."""

import contextlib
import json
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
    """`metrics.jsonl`: a line an event, each with `event` and `step`; after a resume it goes on from the checkpoint."""

    def __init__(self, path: Path):
        self.path, self.step = path, 0

    def started(self, facts: Mapping[str, Any]) -> None:
        self.step = int(facts["step"])
        kept = [event for event in read_events(self.path) if event["step"] <= self.step and event.get("event") != "end"]
        storage.write(self.path, "".join(json.dumps(event) + "\n" for event in kept).encode())
        self._line("start", self.step, facts)

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        self._line("step", step, values)

    def evaluated(self, step: int, values: Mapping[str, float], best: bool) -> None:
        self._line("valid", step, {**values, "best": best})

    def finished(self, facts: Mapping[str, Any]) -> None:
        self._line("end", int(facts["step"]), facts)

    def _line(self, event: str, step: int, values: Mapping[str, Any]) -> None:
        self.step = step
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"event": event, **values, "step": step}) + "\n")
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
    """

    def __init__(self, folder: Path):
        self.writer = None
        with contextlib.suppress(ImportError, OSError):
            from torch.utils.tensorboard import SummaryWriter

            self.writer = SummaryWriter(str(folder))

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        self._write("train", step, values)

    def evaluated(self, step: int, values: Mapping[str, float], best: bool) -> None:
        self._write("valid", step, values)

        if self.writer is not None:
            with contextlib.suppress(OSError):
                self.writer.flush()  # so that what stops training later takes nothing with it

    def finished(self, facts: Mapping[str, Any]) -> None:
        if self.writer is not None:
            with contextlib.suppress(OSError):
                self.writer.close()

    def _write(self, part: str, step: int, values: Mapping[str, float]) -> None:
        if self.writer is not None:
            with contextlib.suppress(OSError):
                for name, value in values.items():
                    self.writer.add_scalar(f"{part}/{name}", value, step)
