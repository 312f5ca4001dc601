"""`headway tune`."""

import contextlib
import json as json_
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

from cyclopts import Parameter

from headway.cli._options import Json, Settings, assigned
from headway.errors import UsageError


def tune(
    data: Path | None = None,
    /,
    *,
    trials: int = 20,
    out: Path = Path("tuning"),
    space: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=False)] = (),
    time: str | None = None,
    steps: int | None = None,
    jobs: int = 1,
    show: Path | None = None,
    recipe: str | None = None,
    config: Path | None = None,
    json: Json = False,
    settings: Settings = (),
) -> int:
    """Search for settings on your own data, and write the best as a file that `headway train --config` takes.

    Trial after trial is trained (through Optuna) and judged by the valid part; one that lags behind the others is ended
    early. Around the recipe it is searched for learning rate, dropout, width, layers and tokens of an update; --space
    adds others, or other ranges, and a setting that is given stays as it is.

      headway tune news --trials 30 --time 2m
      headway tune pairs --trials 20 --steps 2000 --space model.encoder.mixer=attention,convolution
      headway train news --config tuning/best.yaml --out tagger

    The same command goes on after an interruption, and with a larger --trials. `headway tune --show DIR` prints the
    trials of what is there.

    Parameters
    ----------
    data
        A data set, as for `headway train`.
    trials
        How many trials there are to be in all.
    out
        The folder of the search.
    space
        A setting that is searched for: PATH=a,b,c or PATH=low..high, or PATH=low..high:log; may be given several times.
    time
        Training time of each trial: 90s, 5m, 1h. Without --time and --steps the recipe's passes over the data.
    steps
        Updates of each trial.
    jobs
        Trials side by side, with one thread each.
    show
        Print the trials in the folder of a search, and train nothing.
    recipe
        A preset, of `headway list recipes`; that of the question where none is given.
    config
        A YAML file of settings; options win over it.
    """
    from headway.lab.tuning import dimension_of, results_of
    from headway.lab.tuning import tune as search

    if show is not None:
        if data is not None or space:
            raise UsageError(
                "--show prints a search that is there; leave out the data and --space, or leave out --show"
            )
        _print(results_of(show), json)
        return 0
    from headway.cli.train import _stopped_by_signals

    dimensions = [dimension_of(text) for text in space]
    stop = threading.Event()
    with _stopped_by_signals() as (received, prepared), contextlib.closing(_lines()) as watch:
        prepared(SimpleNamespace(stop=stop))
        how: dict[str, Any] = {"recipe": recipe, "config": config, "settings": assigned(settings)}
        found = search(
            data, trials, out, space=dimensions, time=time, steps=steps, jobs=jobs, watch=watch, stop=stop, **how
        )
    _print(found, json)
    if received:
        print("stopped; everything is saved, and the same command goes on", file=sys.stderr)
        return 128 + received[0]
    return 0


def _lines() -> Any:
    """A line for the beginning and the end of every trial, on standard error."""
    from headway.cli import safe
    from headway.lab.tuning import Watcher

    class Lines(Watcher):
        def said(self, text: str) -> None:
            print(safe(text), file=sys.stderr, flush=True)

        def began(self, number: int, choices: Mapping[str, Any]) -> None:
            told = "  ".join(f"{path.rpartition('.')[2]} {_short(value)}" for path, value in choices.items())
            self.said(f"trial {number}: {told}")

        def ended(self, number: int, state: str, value: float | None, best: bool) -> None:
            shown = "" if value is None else f" with {value:.4g}"
            self.said(f"trial {number} {state}{shown}{' (best)' if best else ''}")

        def close(self) -> None:
            """Nothing is left open."""

    return Lines()


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _print(results: Any, as_machine: bool) -> None:
    """The trials, the best first, and what came of it."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from headway.lab.tuning.page import cells, columns, sentence
    from headway.lab.tuning.searching import as_json

    if as_machine:
        print(json_.dumps(as_json(results), ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    names = [path.rpartition(".")[2] for path in columns(results)]
    table = Table("trial", "", results.metric, *names, "time", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for one in results.ranked:
        table.add_row(str(one.number), *cells(results, one), style="bold" if one is results.best else None)
    console.print(table)
    console.print(sentence(results), markup=False)
    if results.best is not None:
        console.print(f"all its settings: {results.folder / 'best.yaml'}; pictures: {results.folder / 'tune.html'}")
