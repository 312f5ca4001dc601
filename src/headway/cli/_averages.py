"""What the heads of a run do over a data set, in a terminal: `headway inspect --average`."""

import json as json_
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headway import storage
from headway.cli._pictures import drawn
from headway.errors import UsageError
from headway.experiment import examples_for
from headway.inspection import PARTS
from headway.inspection.averages import Head, sentences
from headway.inspection.averages_page import columns, page, row
from headway.inspection.view import NOTE, TOLD
from headway.lab.demonstrations import HeatMap
from headway.predictor import Predictor


def average_heads(
    predictor: Predictor, data: Path | None, part: str, most: int, kind: str | None, html: Path | None, json: bool
) -> None:
    """Print what the heads of every part do, or of one. Raises UsageError where the run has no such heads."""
    if data is None or most < 1:
        raise UsageError("--average is of a data set: give one behind the run, and --examples of at least 1")
    some = examples_for(predictor, data, part)[:most]
    heads: dict[str, list[Head]] = {}
    for name in PARTS if kind is None else (kind,):
        try:
            heads[name] = predictor.averages(some, name)
        except UsageError:
            if kind is not None or (name == PARTS[-1] and not heads):
                raise
    if html is not None:
        storage.write(html, page(str(predictor.path), len(some), heads).encode())
    if json:
        told = {name: [head.as_json() for head in found] for name, found in heads.items()}
        print(json_.dumps({"examples": len(some), "heads": told}, ensure_ascii=False))
        return
    _show(heads)
    if html is not None:
        print(f"written: {html}")


def _show(heads: Mapping[str, Sequence[Head]]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for part, found in heads.items():
        if not found:
            continue
        console.print(Text(f"{part}: {TOLD[part]}", "bold"))
        for sentence in sentences(found):
            console.print(sentence, markup=False)
        table = Table(box=None, pad_edge=False)
        for number, name in enumerate(columns(found)):
            table.add_column(name, justify="right" if number > 1 else "left", no_wrap=True)
        for head in found:
            table.add_row(*map(Text, row(head)), style="bold" if head.role else None)
        console.print("", table, "", sep="\n")
        values = [list(head.shares.values()) for head in found]
        names = [f"{head.layer}.{head.head}" for head in found]
        console.print(drawn(HeatMap("share by place, rows are layer.head", values, names, list(found[0].shares))))
    console.print(Text(NOTE, "dim italic"))
