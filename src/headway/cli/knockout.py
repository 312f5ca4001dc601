"""`headway knockout`."""

import json as json_
import sys
from pathlib import Path
from typing import Any, Literal

from headway.cli._options import Json
from headway.errors import UsageError, file_name


def knockout(
    run: Path,
    data: Path,
    /,
    *,
    what: Literal["heads", "mixers", "feedforward", "layers"] = "heads",
    how: Literal["removed", "uniform"] = "removed",
    part: Literal["train", "valid", "test"] = "test",
    examples: int | None = None,
    mode: str = "auto",
    html: Path | None = None,
    json: Json = False,
) -> int:
    """Switch off every head or layer in turn, and see how much worse the run becomes.

    Attention shows where a layer looked; this shows what would be missed. Every change has a 95 % interval by the
    paired bootstrap over the items.

      headway knockout tagger news
      headway knockout translator pairs --what layers --html layers.html

    Parameters
    ----------
    run
        A run folder.
    data
        A data set, or one file, which is taken whole.
    what
        heads, mixers (all that lets positions exchange, of one layer), feedforward, or layers.
    how
        removed: it gives nothing; uniform: its heads look at everything alike.
    part
        Which part of a data set.
    examples
        The first so many only: every knockout answers all of them again.
    mode
        How to answer: auto, or one of the run's modes.
    html
        Write table and picture to a page, which needs no network.
    """
    from headway import storage
    from headway.experiment import examples_for, load
    from headway.lab.knockout import knockout as knocked
    from headway.lab.knockout.page import page

    if examples is not None and examples < 1:
        raise UsageError(f"--examples must be at least 1, and is {examples}")
    if html is not None and not html.parent.is_dir():
        raise UsageError(f"--html {file_name(html)}: there is no folder {file_name(html.parent)}")
    predictor = load(run)
    some = examples_for(predictor, data, part)[:examples]
    results = knocked(predictor, some, what, how, mode, str(data), lambda line: print(line, file=sys.stderr))
    if html is not None:
        storage.write(html, page(results).encode())
    if json:
        print(json_.dumps(results.as_json(), ensure_ascii=False))
        return 0
    _show(results)
    if html is not None:
        print(f"written: {html}")
    return 0


def _show(results: Any) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from headway.cli._pictures import together
    from headway.lab.demonstrations import HeatMap
    from headway.lab.knockout.page import columns, row

    console = Console(highlight=False, soft_wrap=True)
    for sentence in results.sentences:
        console.print(sentence, markup=False)
    first, *others = columns(results)
    table = Table(first, box=None, pad_edge=False)
    for name in others:
        table.add_column(name, justify="right" if name else "left")
    for change in results.ordered:
        look = "bold" if change.clear else None
        table.add_row(*(Text(cell) for cell in row(results, change)), style=look)
    console.print(table)
    told = "how much it is missed, by layer" + (" and head" if results.changes[0].head is not None else "")
    maps = [HeatMap(f"{part}: {told}", *rest) for part, *rest in results.grids()]
    console.print(together(maps))
