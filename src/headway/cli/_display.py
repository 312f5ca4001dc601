"""What a person sees of a training: a moving line on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from headway.cli import safe
from headway.training.events import Listener

EVERY = 10.0
"""Seconds between plain lines."""


def display() -> "Lines":
    """The display that fits: on standard error, so that results can be piped."""
    console = Console(stderr=True, highlight=False)
    return Terminal(console) if console.is_terminal and sys.stderr.isatty() else Lines(console)


def shown(name: str, value: float) -> str:
    """A metric as people read it: shares in percent."""
    from headway.metrics import METRICS

    percent = name in METRICS.names() and METRICS.part(name).percent
    return f"{value:.2%}" if percent else f"{value:.4g}"


class Lines(Listener):
    """One line an event, at most one every few seconds: for logs and pipes."""

    def __init__(self, console: Console):
        self.console, self.last, self.steps = console, 0.0, 0

    def said(self, text: str) -> None:
        self.console.print(safe(text), markup=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the terminal as it was, however training ended."""

    def started(self, facts: Mapping[str, Any]) -> None:
        self.steps = int(facts["steps"])
        self.said(f"training: {self.steps:,} steps, an evaluation every {facts['evaluate_every']:,}")

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        if time.monotonic() - self.last < EVERY:
            return
        self.last = time.monotonic()
        left = values["seconds"] / step * (self.steps - step)
        self.said(
            f"step {step:,}/{self.steps:,}  loss {values['loss']:.4f}  {values['tokens_per_second']:,.0f} tokens/s  "
            f"{_clock(left)} left"
        )

    def evaluated(self, step: int, values: Mapping[str, float], best: bool) -> None:
        told = "  ".join(f"{name} {shown(name, v)}" for name, v in values.items() if name != "seconds")
        self.said(f"step {step:,}  valid: {told}{'  (best)' if best else ''}")


class Terminal(Lines):
    """A bar with step, loss, tokens a second, the metric and the time left."""

    def __init__(self, console: Console):
        super().__init__(console)
        self.metric = ""
        self.bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=console,
            refresh_per_second=4,
        )

    def started(self, facts: Mapping[str, Any]) -> None:
        self.steps = int(facts["steps"])
        self.bar.start()
        self.task = self.bar.add_task("training", total=self.steps, completed=int(facts["step"]), told="")

    def stepped(self, step: int, values: Mapping[str, float]) -> None:
        told = f"loss {values['loss']:.3f}  {values['tokens_per_second']:,.0f} tokens/s  {self.metric}"
        self.bar.update(self.task, completed=step, told=told)

    def evaluated(self, step: int, values: Mapping[str, float], best: bool) -> None:
        name, value = next(iter(values.items()))
        self.metric = f"{name} {shown(name, value)}"
        super().evaluated(step, values, best)

    def finished(self, facts: Mapping[str, Any]) -> None:
        self.close()

    def close(self) -> None:
        self.bar.stop()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
