"""docs/quality.md: every figure that is kept, with all that it depends on, written from the results."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.quality.cells import CELLS, Cell
from headway.metrics import METRICS

HEAD = """# Quality

Written by `python -m benchmarks.quality --write` from `benchmarks/results/quality/`; `python -m benchmarks.quality`
makes the results. Each model is trained by the ordinary recipe of its question at the revision named below it, with
the settings named there; the splits are those of `headway data get`; the classical method is trained and measured on
the same split. "must" and "goal" are what was aimed at before.

| data | metric | headway | classical | must | goal | training |
|---|---|---|---|---|---|---|
"""


def page(results: Path) -> str:
    """The whole page."""
    rows, details = [], []
    for cell in CELLS:
        for path in sorted(results.glob(f"{cell.name}-[0-9]*.json")):
            result = json.loads(path.read_text(encoding="utf-8"))
            rows.append(_row(cell, result))
            details.append(_details(cell, result))
    return HEAD + "\n".join(rows) + "\n\n" + "\n".join(details)


def _row(cell: Cell, result: Mapping[str, Any]) -> str:
    values, peer, facts = result["test"]["metrics"], result["peer"]["metrics"], result["training"]
    told = [f"{name} {shown(name, value)}" for name, value in values.items() if name != cell.metric]
    value = f"**{shown(cell.metric, values[cell.metric])}**" + "".join(f"; {one}" for one in told)
    return (
        f"| {cell.data}, seed {result['seed']} | {cell.metric} | {value} | {shown(cell.metric, peer[cell.metric])} "
        f"| {bounds(cell, must_of(cell, peer), values, 0)} | {bounds(cell, cell.goal, values, 1)} "
        f"| {facts['seconds'] / 60:.0f} min, {facts['step']:,} updates{_together(result)} |"
    )


def _together(result: Mapping[str, Any]) -> str:
    """What is said where several models answer together."""
    members = result.get("members", [])
    return f", {len(members)} models together" if len(members) > 1 else ""


def _details(cell: Cell, result: Mapping[str, Any]) -> str:
    machine, facts, test = result["environment"], result["training"], result["test"]
    settings = ", ".join(f"`{name} {value}`" for name, value in result["settings"].items())
    signatures = "; ".join(f"{name}: `{text}`" for name, text in test["signatures"].items())
    files = ", ".join(f"{name} {digest[:12]}" for name, digest in _digests(result["data"]).items())
    note = f"\n- {cell.note}" if cell.note else ""
    alone = ", ".join(
        f"seed {m['seed']} {shown(cell.metric, m['metrics'][cell.metric])}" for m in result.get("members", [])
    )
    alone = f"- each alone, {cell.metric}: {alone}\n" if alone else ""
    return (
        f"## {cell.data}, seed {result['seed']}\n\n"
        f"- settings: {settings}\n"
        f"- training: {facts['step']:,} updates, {facts['tokens']:,} tokens in {facts['seconds']:,.0f} s, "
        f"{facts['parameters']:,} parameters\n"
        f"- test: {test['examples']:,} examples, mode {result['mode']}, {test['seconds']:.0f} s; {signatures}\n"
        f"{alone}"
        f"- classical: {result['peer']['method']} {_all(result['peer']['metrics'])}\n"
        f"- files: {files}\n"
        f"- machine: {machine['processor']}, {machine['cores']} cores, {machine['threads']} threads, "
        f"torch {machine['packages']['torch']}, revision {machine['revision']}{note}\n"
    )


def _digests(files: Any) -> dict[str, str]:
    """Name and checksum of the data's files, however the data set's description holds them."""
    return {
        name: value if isinstance(value, str) else next(v for v in value.values() if isinstance(v, str))
        for name, value in files.items()
    }


def _all(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {shown(name, value)}" for name, value in values.items())


def shown(name: str, value: float) -> str:
    """A metric's value as people write it."""
    return f"{value:.2%}" if METRICS.part(name).percent else f"{value:.2f}"


def must_of(cell: Cell, peer: Mapping[str, float]) -> float | None:
    """What had to be reached: a number, or so much more than the classical method on the same split."""
    return cell.must if cell.beyond is None else peer[cell.metric] + cell.beyond


def bounds(cell: Cell, wanted: float | None, values: Mapping[str, float], which: int) -> str:
    """What was aimed at (0 must, 1 goal), for the metric and those beside it, and whether each is met."""
    told = [_bound(cell.metric, wanted, values[cell.metric], cell.higher)]
    told += [_bound(name, pair[which], values[name], cell.higher) for name, pair in cell.also.items()]
    return "; ".join(told)


def _bound(name: str, wanted: float | None, value: float, higher: bool) -> str:
    if wanted is None:
        return "-"
    met = value >= wanted if higher else value <= wanted
    return f"{shown(name, wanted)} {'met' if met else 'missed'}"
