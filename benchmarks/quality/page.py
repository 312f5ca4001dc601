"""docs/quality.md: every figure that is kept, with all that it depends on, written from the results."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.quality.cells import CELLS, Cell
from headway.metrics import METRICS

HEAD = """# Quality

Written by `python -m benchmarks.quality --write` from `benchmarks/results/quality/`; `python -m benchmarks.quality`
makes the results. Each model is trained by the ordinary recipe of its question at the revision named below it, with
the settings named there; the splits are those of `headway data get`; the classical method is trained and measured on
the same split. "must" and "goal" are what was aimed at before. Where several seeds were trained, each by itself, the
figure is their mean, from the least to the greatest in brackets, and so are minutes and updates.

| data | metric | headway | classical | must | goal | training |
|---|---|---|---|---|---|---|
"""

PADDING = """
## Padding

The share of the tokens of a training, as the recipes and the settings above cut it into batches, that is padding:
`python -m benchmarks.quality.padding`. What was aimed at is less than 5 %.

| data | padding |
|---|---|
"""

Result = Mapping[str, Any]


def page(results: Path) -> str:
    """The whole page."""
    rows, details = [], []
    for cell in CELLS:
        found = [json.loads(path.read_text("utf-8")) for path in sorted(results.glob(f"{cell.name}-[0-9]*.json"))]
        if found:
            rows.append(_row(cell, found))
            details += [_details(cell, result) for result in found]
    return HEAD + "\n".join(rows) + "\n\n" + "\n".join(details) + _padding(results / "padding.json")


def _padding(kept: Path) -> str:
    """What share of each training is padding, where it was measured."""
    if not kept.is_file():
        return ""
    found = json.loads(kept.read_text("utf-8"))
    lines = [f"| {cell.title} | {found[cell.name]:.1%} |" for cell in CELLS if cell.name in found]
    return PADDING + "\n".join(lines) + "\n"


def _row(cell: Cell, found: Sequence[Result]) -> str:
    values, peer = _mean([result["test"]["metrics"] for result in found]), found[0]["peer"]["metrics"]
    told = [f"{name} {shown(name, value)}" for name, value in values.items() if name != cell.metric]
    value = f"**{shown(cell.metric, values[cell.metric])}**{_range(cell, found)}" + "".join(f"; {one}" for one in told)
    facts = _mean([{name: result["training"][name] for name in ("seconds", "step")} for result in found])
    seeds = ", ".join(str(result["seed"]) for result in found)
    return (
        f"| {cell.title}, seed{'s' if len(found) > 1 else ''} {seeds} | {cell.metric} | {value} "
        f"| {shown(cell.metric, peer[cell.metric])} "
        f"| {bounds(cell, must_of(cell, peer), values, 0)} | {bounds(cell, cell.goal, values, 1)} "
        f"| {facts['seconds'] / 60:.0f} min, {facts['step']:,.0f} updates{_together(found[0])} |"
    )


def _mean(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: fmean(one[name] for one in found) for name in found[0]}


def _range(cell: Cell, found: Sequence[Result]) -> str:
    """From the least to the greatest of several seeds."""
    each = sorted(result["test"]["metrics"][cell.metric] for result in found)
    return f" ({shown(cell.metric, each[0])} to {shown(cell.metric, each[-1])})" if len(each) > 1 else ""


def _together(result: Result) -> str:
    """What is said where several models answer together."""
    members = result.get("members", [])
    return f", {len(members)} models together" if len(members) > 1 else ""


def _details(cell: Cell, result: Result) -> str:
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
        f"## {cell.title}, seed {result['seed']}\n\n"
        f"- settings: {settings}\n"
        f"- training: {facts['step']:,} updates, {facts['tokens']:,} tokens in {facts['seconds']:,.0f} s, "
        f"{facts['parameters']:,} parameters\n"
        f"- test: {test['examples']:,} examples, mode {result['mode']}, {test['seconds']:.0f} s; "
        f"{_all(test['metrics'])}{_judged(result)}; {signatures}\n"
        f"{alone}{_ways(result)}"
        f"- classical: {result['peer']['method']} {_all(result['peer']['metrics'])}\n"
        f"- files: {files}\n"
        f"- machine: {machine['processor']}, {machine['cores']} cores, {machine['threads']} threads, "
        f"torch {machine['packages']['torch']}, revision {machine['revision']}{note}\n"
    )


def _ways(result: Result) -> str:
    """A line for every further way in which the run wrote."""
    return "".join(
        f"- mode {mode}: {_all(found['metrics'])}{_judged(found)}; {found['identical']:.2%} of its answers are those "
        f"of {result['mode']}\n"
        for mode, found in result.get("modes", {}).items()
    )


def _judged(found: Result) -> str:
    return "".join(f", {name.replace('_', ' ')} {value:.2%}" for name, value in found.get("judged", {}).items())


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
