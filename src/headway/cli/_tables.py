"""Results as people read them."""

import json
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headway.cli._display import _clock, shown
from headway.outcome import Outcome


def print_outcome(outcome: Outcome, data: Path | None, as_json: bool) -> None:
    """The last table of a training: the metrics beside the baselines, what it took, and what to do next."""
    if as_json:
        told = {"metrics": outcome.metrics, "baselines": outcome.baselines, "facts": outcome.facts}
        print(json.dumps({"run": str(outcome.folder), **told, "signatures": outcome.signatures}))
        return
    console = Console(highlight=False, soft_wrap=True)
    for part, values in outcome.metrics.items():
        rows = {name: of[part] for name, of in outcome.baselines.items() if part in of}
        console.print(_table(part, {**rows, str(outcome.folder): values}))
    facts = outcome.facts
    speed = facts["tokens"] / max(facts["seconds"], 1e-9)
    peak = f", at most {facts['peak_memory'] / 1e6:,.0f} MB of memory" if "peak_memory" in facts else ""
    console.print(
        f"{facts['step']:,.0f} steps in {_clock(facts['seconds'])}, {speed:,.0f} tokens/s, "
        f"{facts['parameters']:,.0f} parameters{peak}{_split(facts)}; "
        f"curves and mistakes: {outcome.folder / 'report.html'}",
        markup=False,
    )
    console.print(f"next: headway predict {outcome.folder} {outcome.asked}", markup=False)


def _split(facts: Mapping[str, int | float]) -> str:
    return f", {facts['split']:,.0f} batches split for want of memory" if facts.get("split") else ""


def _table(part: str, rows: Mapping[str, Mapping[str, float]]) -> Table:
    names = list(dict.fromkeys(name for values in rows.values() for name in values))
    table = Table("", *names, title=f"{part} part", title_justify="left")
    for number, (method, values) in enumerate(rows.items(), 1):
        cells = [shown(name, values[name]) if name in values else "" for name in names]
        table.add_row(Text(method), *cells, style="bold" if number == len(rows) else None)
    return table
