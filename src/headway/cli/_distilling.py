"""What a person sees of a distillation: how far it is, the time left, and what lies there at the end."""

import contextlib
import json as json_
import shlex
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from headway.cli import safe
from headway.cli._display import EVERY, _clock
from headway.lab.distillation import Distilled, distill
from headway.lab.distillation.distilling import Watcher


def watching(run: Path, data: Path, out: Path, as_machine: bool, **how: Any) -> int:
    """Distil with progress on standard error and what was written on standard output; the exit code."""
    console = Console(stderr=True, highlight=False)
    watch = (Terminal if console.is_terminal and sys.stderr.isatty() else Lines)(console)
    try:
        with contextlib.closing(watch):
            done = distill(run, data, out, watch=watch, **how)
    except KeyboardInterrupt:
        watch.said("stopped; what is written is kept, and the same command goes on")
        return 130
    if as_machine:
        print(json_.dumps({"out": str(done.folder), **done.facts}, ensure_ascii=False))
    else:
        print("\n".join(map(safe, told(done))))
    return 0


def told(done: Distilled) -> list[str]:
    """What was written, and what to do next."""
    facts, counts = done.facts, done.facts["counts"]
    empty = f"; {counts['empty']:,} were left out, because nothing was written for them" if counts["empty"] else ""
    options = [word for path, value in done.settings.items() for word in (f"--{path}", value)]
    command = shlex.join(["headway", "train", str(done.folder), *options, "--out", "student"])
    return [
        f"{counts['written']:,} targets written by {facts['task']['run']} ({facts['task']['mode']}) for "
        f"{counts['sources']:,} sources of {counts['examples']:,} examples{empty}",
        f"{', '.join(facts['files'])}; where they came from: {done.folder / 'distilled.json'}",
        f"next: {command}",
    ]


class Lines(Watcher):
    """A line every few seconds: for logs and pipes."""

    def __init__(self, console: Console):
        self.console, self.last = console, time.monotonic()
        self.begun: tuple[float, int] | None = None

    def close(self) -> None:
        """Leave the terminal as it was."""

    def said(self, text: str) -> None:
        self.console.print(safe(text), markup=False, soft_wrap=True)

    def counted(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self.begun is None:
            self.begun = now, done
        elif now - self.last >= EVERY or done == total:
            self.last = now
            speed = (done - self.begun[1]) / max(now - self.begun[0], 1e-9)
            left = f", {_clock((total - done) / speed)} left" if speed and done < total else ""
            self.said(f"{done:,} of {total:,} sources  {speed:,.0f} a second{left}")


class Terminal(Lines):
    """A bar with the sources a second and the time left."""

    def __init__(self, console: Console):
        super().__init__(console)
        self.bar = Progress(
            TextColumn("[bold]writing"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f} sources"),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=4,
        )

    def close(self) -> None:
        self.bar.stop()

    def counted(self, done: int, total: int) -> None:
        if self.begun is None:
            self.begun = time.monotonic(), done
            self.bar.start()
            self.task = self.bar.add_task("", total=total, completed=done, told="")
            return
        speed = (done - self.begun[1]) / max(time.monotonic() - self.begun[0], 1e-9)
        self.bar.update(self.task, completed=done, told=f"{speed:,.0f} a second")
