"""A search for settings: trials within a space, ended early, gone on with, and a file that trains the best again."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from headway import cli
from headway.errors import HeadwayError, UsageError
from headway.lab.compare.cells import Cell
from headway.lab.tuning import Dimension, Watcher, dimension_of, results_of, searching, tune
from headway.lab.tuning.space import space_for
from headway.planning import plan
from headway.storage import write_json
from little import tiny

pytest.importorskip("optuna")

SPACE = [dimension_of("training.learning_rate=1e-3..1e-1:log"), dimension_of("model.encoder.layers=1..2")]
FIXED = {"model.encoder.dropout": 0.0, "model.encoder.width": 16, "training.tokens": 150}


def given(**more: Any) -> dict[str, Any]:
    """Settings of a tiny model that fix what the recipe would be searched around."""
    settings = {k: v for k, v in tiny("transduce").items() if k != "model.encoder.layers" and k != "training.steps"}
    return settings | FIXED | {"training.learning_rate": None} | more


def searched(data: Path, out: Path, trials: int, played=None, **how: Any):
    """`tune` with trials that are played and not trained: what they reach is a formula of what they are."""
    settings = {k: v for k, v in given().items() if v is not None}
    with patch.object(searching, "tried", played or play):
        return tune(data, trials, out, space=SPACE, settings=settings, steps=40, **how)


def worth(cell: Cell, evaluation: int) -> float:
    """The error that a played trial has: less where the rate is near 0.02 and the layers are two."""
    rate = cell.run.training.learning_rate
    return abs(rate - 0.02) * 10 + (2 - cell.run.model.encoder.layers) + 1 / evaluation


def play(cell: Cell, hear, stop: threading.Event) -> str | None:
    cell.write()
    hear({"event": "started", "step": 0, "steps": 40, "evaluate_every": 4})
    for evaluation in range(1, 11):
        values = {"character_error_rate": worth(cell, evaluation)}
        if hear({"event": "valid", "step": 4 * evaluation, "best": True, "values": values}):
            return None
    finish(cell)
    return None


def finish(cell: Cell) -> None:
    metrics = {part: {"character_error_rate": worth(cell, 10)} for part in ("valid", "test")}
    write_json(cell.folder / "cell.json", {"metrics": metrics, "facts": {"seconds": 1.5, "parameters": 10}})
    (cell.folder / "run").mkdir(exist_ok=True)


@pytest.mark.parametrize("text, expected", [
    ("a.b=1..4", Dimension("a.b", low=1, high=4)),
    ("a.b=1..4.0", Dimension("a.b", low=1.0, high=4.0)),
    ("a.b=1e-4..1e-2:log", Dimension("a.b", low=1e-4, high=1e-2, log=True)),
    ("a.b= x, y,x", Dimension("a.b", ("x", "y"))),
])  # fmt: skip
def test_a_dimension_is_read_and_written_as_it_was_read(text, expected):
    assert dimension_of(text) == expected == dimension_of(str(expected))


@pytest.mark.parametrize(
    "text", ["", "a.b", "a.b=", "a.b=4..1", "a.b=0..1:log", "a.b=1..2:lin", "a.b=x..y", "a.b=1..nan"]
)
def test_what_is_no_dimension_is_said(text):
    with pytest.raises(UsageError, match=r"--space .*: expected"):
        dimension_of(text)


def test_what_may_not_differ_between_trials_is_refused():
    with pytest.raises(UsageError, match=r"data\.test cannot be searched for"):
        dimension_of("data.test=a,b")


@pytest.mark.parametrize("asked", ["tag", "classify", "regress", "transduce"])
def test_the_space_around_a_recipe_holds_the_recipe_and_can_be_built(asked, runs):
    run = plan(runs.data(asked)).run
    space = {one.path: one for one in space_for(run, [], {"training.tokens": 100})}
    rate, width = space["training.learning_rate"], space["model.encoder.width"]
    assert rate.low < run.training.learning_rate < rate.high and rate.log
    assert run.model.encoder.width in width.values and "training.tokens" not in space
    heads = run.model.encoder.mixer.heads
    assert all(value % heads == 0 and value // heads % 2 == 0 for value in width.values)
    layers = Dimension("model.encoder.layers", (3,))
    assert layers in space_for(run, [layers], {})
    with pytest.raises(UsageError, match="searched for and set"):
        space_for(run, [layers], {"model.encoder.layers": 2})


def test_it_finds_what_is_best_and_ends_what_lags_behind(runs, tmp_path):
    found = searched(runs.data("transduce"), tmp_path / "out", 10)
    states = [one.state for one in found.trials]
    assert len(states) == 10 and states[:4] == ["finished"] * 4 and "pruned" in states
    best = found.best
    assert best is not None and best.value == min(one.value for one in found.trials if one.state == "finished")
    assert best.choices["model.encoder.layers"] == 2 and found.metric == "character_error_rate"
    assert found.test == {"character_error_rate": best.value} and found.ranked[0] is best
    assert [path.parent.name for path in (tmp_path / "out" / "trials").glob("*/run")] == [f"{best.number:05d}"]
    made = plan(runs.data("transduce"), config=tmp_path / "out" / "best.yaml")
    assert made.run == Cell.read(tmp_path / "out" / "trials" / f"{best.number:05d}").run
    page = (tmp_path / "out" / "tune.html").read_text(encoding="utf-8")
    assert f"The best is trial {best.number}" in page and page.count("<figure") == 4
    pickled = [path for path in (tmp_path / "out").rglob("*") if path.suffix in (".pkl", ".pickle")]
    journal = (tmp_path / "out" / "journal.log").read_text(encoding="utf-8").splitlines()
    assert not pickled and all(isinstance(json.loads(line), dict) for line in journal)


@pytest.mark.long
def test_interrupted_and_gone_on_with_it_draws_the_same_trials(runs, tmp_path):
    whole = searched(runs.data("transduce"), tmp_path / "whole", 4)
    stop, begun = threading.Event(), list[str]()

    def stopped(cell: Cell, hear, stop: threading.Event) -> str | None:
        begun.append(cell.arm)
        if len(begun) == 3:
            cell.write()
            hear({"event": "started", "step": 0, "steps": 40, "evaluate_every": 4})
            hear({"event": "valid", "step": 4, "best": True, "values": {"character_error_rate": worth(cell, 1)}})
            stop.set()
            return None
        return play(cell, hear, stop)

    half = searched(runs.data("transduce"), tmp_path / "parts", 4, stopped, stop=stop)
    assert [one.state for one in half.trials] == ["finished", "finished", "begun"]
    assert searched(runs.data("transduce"), tmp_path / "parts", 3).told == half.told
    parts = searched(runs.data("transduce"), tmp_path / "parts", 4)
    assert [vars(one) for one in parts.trials] == [vars(one) for one in whole.trials]
    assert searched(runs.data("transduce"), tmp_path / "parts", 4, lambda *_: pytest.fail("all are done")).best
    differ = r"holds another search \(space, settings or budget differ\)"
    with pytest.raises(UsageError, match=differ), patch.object(searching, "tried"):
        tune(runs.data("transduce"), 6, tmp_path / "parts", space=SPACE[:1], steps=40,
             settings={k: v for k, v in given(**{"model.encoder.layers": 1}).items() if v is not None})  # fmt: skip


class Heard(Watcher):
    def __init__(self) -> None:
        self.all: list[str] = []

    def said(self, text: str) -> None:
        self.all.append(text)

    def ended(self, number: int, state: str, value: float | None, best: bool) -> None:
        self.all.append(f"{number} {state}")


def test_a_trial_that_fails_or_diverges_is_said_and_the_search_goes_on(runs, tmp_path):
    def played(cell: Cell, hear, stop: threading.Event) -> str | None:
        number = int(cell.arm.split()[1])
        if number == 0:
            return "the width does not fit"
        if number == 1:
            cell.write()
            write_json(cell.folder / "cell.json", {"failed": "training has diverged"})
            return None
        return play(cell, hear, stop)

    heard = Heard()
    found = searched(runs.data("transduce"), tmp_path / "out", 3, played, watch=heard)
    assert [one.state for one in found.trials] == ["failed", "pruned", "finished"]
    assert heard.all == ["trial 0: the width does not fit", "0 failed", "1 pruned", "2 finished"]
    with pytest.raises(HeadwayError, match=r"no trial could be trained; the first: no$"):
        searched(runs.data("transduce"), tmp_path / "none", 2, lambda *_: "no")


def test_what_cannot_be_is_said(runs, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    for arguments, complaint in [
        (["--trials", "0"], "--trials must be at least 1"),
        (["--out", str(tmp_path / "full")], "exists, and headway tune did not make it"),
        (["--show", str(tmp_path)], "leave out the data"),
        (["--time", "5m", "--steps", "3"], "one budget"),
        (["--out", str(tmp_path / "a"), "--space", "model.encoder.layer=1..2"], "Did you mean"),
    ]:
        assert cli.run(["tune", str(runs.data("tag")), *arguments]) == 2, arguments
        assert complaint in capsys.readouterr().err
    assert cli.run(["tune", "--show", str(tmp_path)]) == 2 and "holds no search" in capsys.readouterr().err


def test_what_is_there_is_printed(runs, tmp_path, capsys):
    found = searched(runs.data("transduce"), tmp_path / "out", 3)
    assert cli.run(["tune", "--show", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert found.best is not None and f"The best is trial {found.best.number} with" in shown and "layers" in shown
    assert cli.run(["tune", "--show", str(tmp_path / "out"), "--json"]) == 0
    told: Mapping[str, Any] = json.loads(capsys.readouterr().out)
    assert told["best"] == found.best.number and len(told["trials"]) == 3


@pytest.mark.long
def test_a_real_search_and_its_best_trained_again(runs, tmp_path):
    settings = {k: v for k, v in given().items() if v is not None}
    found = tune(runs.data("transduce"), 2, tmp_path / "out", space=SPACE, settings=settings, steps=12)
    assert [one.state for one in found.trials] == ["finished", "finished"] and found.best is not None
    assert results_of(tmp_path / "out").best == found.best
    run = tmp_path / "out" / "trials" / f"{found.best.number:05d}" / "run"
    from little import quick, same_weights

    quick(runs.data("transduce"), tmp_path / "again", config=tmp_path / "out" / "best.yaml")
    assert same_weights(run, tmp_path / "again")


def test_data_too_large_for_memory_are_prepared_once_for_all_trials(runs, tmp_path):
    cells: list[Cell] = []

    def seen(cell: Cell, hear, stop: threading.Event) -> str | None:
        cells.append(cell)
        return play(cell, hear, stop)

    with patch("headway.preparation.preparing.LARGE", 10), patch.object(searching, "cores", lambda: 1):
        searched(runs.data("transduce"), tmp_path / "out", 2, seen)
    assert [cell.data for cell in cells] == [str(tmp_path / "out" / "prepared")] * 2
    assert plan(tmp_path / "out" / "prepared").count == 40
