"""What a dry run found, as people read it."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Column, Table

from headway.cli._display import _clock
from headway.rehearsal import Rehearsal

MB = 1_000_000


def print_rehearsal(found: Rehearsal, as_json: bool) -> None:
    """Parameters, memory, time: three small tables and a sentence."""
    if as_json:
        derived = {"estimate": found.estimate, "epoch": found.epoch, "total": found.total}
        print(json.dumps({**asdict(found), **derived}))
        return
    console = Console(highlight=False, soft_wrap=True)
    whole = sum(found.parameters.values())
    console.print(_table("parameters", {**_plain(found.parameters), "all": f"{whole:,}"}))
    parts = {"program, data and weights": found.program, **found.memory}
    memory = {name: f"{size / MB:,.1f} MB" for name, size in parts.items()}
    memory["estimated at most"] = f"{found.estimate / MB:,.0f} MB"
    if found.peak is not None:
        memory["measured at most"] = f"{found.peak / MB:,.0f} MB"
    console.print(_table("memory", memory))
    number, each = found.evaluations
    times = {
        "updates": f"{found.steps:,} in all, {found.updates:,} an epoch",
        "padding": f"{found.padding:.1%}",
        "an update": f"{found.update:.3f} s (mean of {found.measured:,})",
        "an epoch": _clock(found.epoch),
        "an evaluation": f"{_clock(each)}, {number:,} of them" + ("; less with learning" if found.may_shrink else ""),
        "all": _clock(found.total),
    }
    console.print(_table("time", times))
    console.print(
        "nothing was written. What is measured counts: an estimate does not know what the C library keeps of what is "
        "freed. In the end the whole of every part is answered, and baselines are measured beside it"
    )


def _plain(parameters: dict[str, int]) -> dict[str, str]:
    return {name: f"{count:,}" for name, count in parameters.items()}


def _table(title: str, rows: dict[str, str]) -> Table:
    table = Table(
        Column(), Column(justify="right"), title=f"\n{title}", title_justify="left", box=None, show_header=False
    )
    for name, value in rows.items():
        table.add_row(name, value)
    return table
