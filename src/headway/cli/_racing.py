"""What a person sees of a race: what is measured now, and the two tables at the end."""

import contextlib
import json as json_
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table as Grid
from rich.text import Text

from headway.cli import safe
from headway.cli._comparing import WIDE
from headway.cli._display import EVERY
from headway.lab.race import Results, race
from headway.lab.race.racing import Watcher
from headway.lab.race.table import legend, table
from headway.lab.race.verdict import verdict


def watching(runs: Sequence[Path], data: Path, as_machine: bool, *, out: Path | None, **how: Any) -> int:
    """Race with progress on standard error and the tables on standard output; the exit code."""
    console = Console(stderr=True, highlight=False)
    watch = (Terminal if console.is_terminal and sys.stderr.isatty() else Lines)(console)
    with contextlib.closing(watch):
        results = race(runs, data, out=out, watch=watch, command=shlex.join(["headway", *sys.argv[1:]]), **how)
    if as_machine:
        print(json_.dumps(results.as_json(), ensure_ascii=False))
    else:
        print_results(results, out)
    return 0


def print_results(results: Results, out: Path | None) -> None:
    """What was written, what it took, and what that says."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = WIDE
    found = table(results)
    for begin, end in ((0, found.costs), (found.costs, len(found.columns))):
        drawn = Grid("", *found.columns[begin:end], box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for row, cells in zip(results.rows, found.rows, strict=True):
            drawn.add_row(Text(safe(row.name)), *map(Text, cells[begin:end]))
        console.print(drawn)
    more = ["", f"charts: {out / 'race.html'}"] if out is not None else []
    for sentence in [*verdict(results), "", *legend(results), *more]:
        console.print(safe(sentence), markup=False)


class Lines(Watcher):
    """A line for each thing that is measured, and one every few seconds: for logs and pipes."""

    def __init__(self, console: Console):
        self.console, self.what, self.last = console, "", time.monotonic()

    def close(self) -> None:
        """Leave the terminal as it was."""

    def counted(self, what: str, done: int, total: int) -> None:
        if what != self.what or time.monotonic() - self.last >= EVERY:
            self.what, self.last = what, time.monotonic()
            self.console.print(safe(f"{what}: {done:,} of {total:,}"), markup=False, soft_wrap=True)


class Terminal(Lines):
    """A bar for what is measured now."""

    def __init__(self, console: Console):
        super().__init__(console)
        self.bar = Progress(
            TextColumn("[bold]{task.fields[what]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            console=console,
            refresh_per_second=4,
            transient=True,
        )
        self.task = self.bar.add_task("", total=1, what="")
        self.bar.start()

    def close(self) -> None:
        self.bar.stop()

    def counted(self, what: str, done: int, total: int) -> None:
        self.bar.update(self.task, what=safe(what).replace("[", r"\["), completed=done, total=total)
