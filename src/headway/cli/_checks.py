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
from headway.steadiness import TOLERANCE, Compared

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


def print_steadiness(found: Sequence[Compared], reservations: Sequence[str], as_json: bool) -> None:
    """A line for every mode and way of making batches, and the verdict."""
    holds = all(one.holds for one in found)
    if as_json:
        told = [_difference(one) for one in found]
        print(json.dumps({"holds": holds, "compared": told, "reservations": reservations}, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    numbers = [Column(name, justify="right") for name in ("examples", "others", "scores apart")]
    table = Table("mode", Column("answered in", no_wrap=True), *numbers, Column("", no_wrap=True), box=None)
    for one in found:
        verdict = Text("same", "green") if one.holds else Text("DIFFERENT", "bold red")
        table.add_row(one.mode, one.way, f"{one.examples:,}", f"{one.different:,}", f"{one.apart:.1e}", verdict)
    console.print(table)
    for one in found:
        if one.first is not None:
            alone, beside = printable(one.first.alone, 200), printable(one.first.beside, 200)
            console.print(
                f"{one.mode}, {one.way}: {one.first.where}\n  alone   {alone}\n  beside  {beside}", markup=False
            )
    for sentence in reservations:
        console.print(sentence, markup=False)
    verdict = (
        f"no answer depends on who is answered beside it: the same in every way, scores to {TOLERANCE:g}"
        if holds
        else "answers depend on who is answered beside them"
    )
    console.print(Text(verdict, "green" if holds else "bold red"))


def _difference(one: Compared) -> dict[str, Any]:
    first = one.first and {
        "file": file_name(one.first.where.file),
        "line": one.first.where.line,
        "alone": one.first.alone,
        "beside": one.first.beside,
    }
    return {
        "mode": one.mode,
        "way": one.way,
        "examples": one.examples,
        "different": one.different,
        "apart": one.apart,
        "holds": one.holds,
        "first": first,
    }
