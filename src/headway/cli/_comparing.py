"""What a person sees of a comparison: which cell is trained, how far it is, the time left, and the table at the end."""

import contextlib
import json as json_
import shlex
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table as Grid
from rich.text import Text

from headway.cli import safe
from headway.cli._display import EVERY, _clock, shown
from headway.cli.train import _stopped_by_signals
from headway.lab.compare import Axis, Results, compare
from headway.lab.compare.cells import Cell
from headway.lab.compare.running import Watcher
from headway.lab.compare.table import legend, table
from headway.lab.compare.verdict import verdict
from headway.lab.compare.writing import as_json

WIDE = 120
"""Characters of the table where it is not printed to a terminal."""


def watching(data: Path | None, axes: Sequence[Axis], out: Path, *, json: bool, jobs: int, **how: Any) -> int:
    """Compare with progress on standard error and the table on standard output; the exit code."""
    console = Console(stderr=True, highlight=False)
    watch = (Terminal if console.is_terminal and sys.stderr.isatty() else Lines)(console, jobs)
    stop = threading.Event()
    command = shlex.join(["headway", *sys.argv[1:]])
    with contextlib.closing(watch), _stopped_by_signals() as (received, prepared):
        prepared(SimpleNamespace(stop=stop))
        results = compare(data, axes, out, jobs=jobs, watch=watch, stop=stop, command=command, **how)
    print_results(results, json)
    if received:
        watch.said("stopped; everything is saved, and the same command goes on")
        return 128 + received[0]
    return 0


def print_results(results: Results, as_machine: bool) -> None:
    """The table of what is finished, and what it says."""
    if as_machine:
        print(json_.dumps(as_json(results), ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = WIDE
    found = table(results)
    for begin, end in ((0, found.costs), (found.costs, len(found.columns))):
        drawn = Grid("", *found.columns[begin:end], box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for row in found.rows:
            style = "bold" if row.best else "dim" if row.baseline else None
            if begin == 0 or not row.baseline:
                drawn.add_row(Text(safe(row.name)), *map(Text, row.cells[begin:end]), style=style)
        console.print(drawn)
    for sentence in [
        *verdict(results),
        "",
        legend(results),
        "",
        f"curves and every pair: {results.folder / 'compare.html'}",
    ]:
        console.print(safe(sentence), markup=False)


class Lines(Watcher):
    """A line for every beginning and end, and one every few seconds: for logs and pipes."""

    def __init__(self, console: Console, jobs: int):
        self.console, self.jobs = console, jobs
        self.total = self.left = 0
        self.begun: dict[Path, float] = {}
        self.took: list[float] = []
        self.steps: dict[Path, int] = {}
        self.last = 0.0

    def close(self) -> None:
        """Leave the terminal as it was."""

    def said(self, text: str) -> None:
        self.console.print(safe(text), markup=False, soft_wrap=True)

    def counted(self, done: int, total: int) -> None:
        self.total, self.left = total, total - done
        self.took.clear()

    def began(self, cell: Cell, number: int) -> None:
        self.begun[cell.folder] = time.monotonic()
        self.said(f"{_kind(cell)} {number} of {self.total}: {cell.folder.name}{self._time_left()}")

    def heard(self, cell: Cell, event: Mapping[str, Any]) -> None:
        if event["event"] == "started":
            self.steps[cell.folder] = int(event["steps"])
        elif event["event"] == "step" and time.monotonic() - self.last >= EVERY:
            self.last = time.monotonic()
            self.said(f"  {cell.folder.name}: step {event['step']:,}/{self.steps[cell.folder]:,}  {_told(event)}")

    def ended(self, cell: Cell, result: Mapping[str, Any]) -> None:
        self.took.append(time.monotonic() - self.begun[cell.folder])
        self.left -= 1
        if "failed" in result:
            self.said(f"  {cell.folder.name}: {result['failed']}")
        else:
            part = cell.part or "valid"
            values = result["metrics"][part]
            told = "  ".join(f"{name} {shown(name, value)}" for name, value in values.items())
            self.said(f"  {cell.folder.name}: {part} {told}")

    def _time_left(self) -> str:
        """As long as the cells of this session took, side by side."""
        if not self.took:
            return ""
        mean = sum(self.took) / len(self.took)
        return f"  ({_clock(mean * self.left / self.jobs)} left)"


class Terminal(Lines):
    """A bar for each cell that is being trained, and one for all of them."""

    def __init__(self, console: Console, jobs: int):
        super().__init__(console, jobs)
        self.bar = Progress(
            TextColumn("[bold]{task.fields[name]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            TextColumn("{task.fields[told]}"),
            console=console,
            refresh_per_second=4,
        )
        self.all: TaskID | None = None
        self.tasks: dict[Path, TaskID] = {}

    def close(self) -> None:
        self.bar.stop()

    def counted(self, done: int, total: int) -> None:
        super().counted(done, total)
        if self.all is not None:
            self.bar.remove_task(self.all)
        self.bar.start()
        self.all = self.bar.add_task("", name="cells", total=total, completed=done, told="")

    def began(self, cell: Cell, number: int) -> None:
        self.begun[cell.folder] = time.monotonic()
        name = f"{_kind(cell)} {number}: {safe(cell.folder.name)}".replace("[", r"\[")
        self.tasks[cell.folder] = self.bar.add_task("", name=name, total=1, told="")

    def heard(self, cell: Cell, event: Mapping[str, Any]) -> None:
        task = self.tasks[cell.folder]
        if event["event"] == "started":
            self.bar.update(task, total=int(event["steps"]), completed=int(event["step"]))
        elif event["event"] == "step":
            self.bar.update(task, completed=event["step"], told=_told(event))
        elif event["event"] == "measuring":
            self.bar.update(task, told="measuring")

    def ended(self, cell: Cell, result: Mapping[str, Any]) -> None:
        self.bar.remove_task(self.tasks.pop(cell.folder))
        super().ended(cell, result)
        if self.all is not None:
            self.bar.update(self.all, completed=self.total - self.left, told=self._time_left().strip())


def _told(event: Mapping[str, Any]) -> str:
    return f"loss {event['loss']:.3f}  {event['tokens_per_second']:,.0f} tokens/s"


def _kind(cell: Cell) -> str:
    return "trial" if cell.part is None else "cell"
