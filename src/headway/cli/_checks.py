"""What a check found, as people read it."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from headway.cli import safe
from headway.data.checking import Report
from headway.data.checks import Finding, Place
from headway.data.checks import Table as Figures
from headway.errors import file_name, printable

STYLES = {"ok": "green", "note": "cyan", "warning": "yellow", "error": "bold red"}


def print_report(report: Report, told: Sequence[str], as_json: bool) -> None:
    """Figures first, then the findings, the worst last but for the verdict."""
    if as_json:
        print(json.dumps(_plain(report, told), ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    for sentence in told:
        console.print(safe(sentence), markup=False)
    for figures in report.tables:
        console.print(_table(figures))
    for finding in reversed(report.sorted):
        _print(console, finding)
    worst = report.sorted[0].severity
    console.print(Text(f"\n{report.verdict}", STYLES[worst]))


def _table(figures: Figures) -> Table:
    first, *others = figures.columns
    numeric = [not isinstance(cell, str) or cell[:1].isdigit() for cell in figures.rows[0][1:]]
    columns = [Column(name, justify="right" if right else "left") for name, right in zip(others, numeric, strict=True)]
    table = Table(Column(first), *columns, title=f"\n{figures.title}", title_justify="left", box=None, pad_edge=False)
    for row in figures.rows:
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    return table


def _print(console: Console, finding: Finding) -> None:
    console.print(Text(f"{finding.severity:8}", STYLES[finding.severity]), end="")
    console.print(f"{finding.check}: {safe(finding.what)}", markup=False)
    for place in finding.places:
        console.print(f"          {_said(place)}", style="dim", markup=False)
    if finding.count > len(finding.places) > 0:
        console.print(f"          and {finding.count - len(finding.places):,} more", style="dim", markup=False)
    if finding.advice:
        console.print(f"        → {finding.advice}", markup=False)


def _said(place: Place) -> str:
    like = f" = {place.like}" if place.like is not None else ""
    return f"{place.where}{like}" + (f"  {printable(place.shown, 200)}" if place.shown else "")


def _plain(report: Report, told: Sequence[str]) -> dict[str, Any]:
    tables = [{"title": each.title, "columns": each.columns, "rows": each.rows} for each in report.tables]
    counts = {severity: report.count(severity) for severity in STYLES}
    findings = [
        {
            "check": finding.check,
            "severity": finding.severity,
            "what": finding.what,
            "count": finding.count,
            "places": [_place(place) for place in finding.places],
            "advice": finding.advice,
        }
        for finding in report.sorted
    ]
    return {"recognized": list(told), "tables": tables, "findings": findings, **counts, "verdict": report.verdict}


def _place(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = {"file": file_name(place.where.file), "line": place.where.line}
    if place.shown:
        found["shown"] = place.shown
    if place.like is not None:
        found["like"] = {"file": file_name(place.like.file), "line": place.like.line}
    return found
