"""Whole comparisons: planned and refused in this process, trained in others, killed and gone on with."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import headway
from headway.errors import HeadwayError, UsageError
from headway.lab.compare import compare, results_of
from headway.lab.compare.running import Watcher
from headway.training.events import read_events
from little import ROWS, data, lines, options, tiny, write

MIXERS = {"model.encoder.mixer": ["attention", "convolution"]}
LAYERS = {"model.encoder.layers": [1, 2]}


def settings(asked: str = "tag", **more: Any) -> dict[str, Any]:
    """Those of tiny models, without what an axis or a budget says."""
    own = {"training.steps", "model.encoder.layers"}
    return {path: value for path, value in tiny(asked, more).items() if path not in own}


def planned(data: Path, axes: dict[str, Any], out: Path, **how: Any):
    """plan.json of a comparison that is stopped before its first cell."""
    stop = threading.Event()
    stop.set()
    results = compare(data, axes, out, stop=stop, **({"settings": settings()} | how))
    assert results.done == 0
    return results.plan


# ------------------------------------------------------------------------------------------------------------ planning


def test_a_plan_has_every_arm_with_its_size_and_seeds_outermost(runs, tmp_path):
    plan = planned(runs.data("tag"), MIXERS, tmp_path / "out", seeds=2, steps=3)
    order = [(cell["arm"], cell["seed"]) for cell in plan["cells"]]
    assert order == [("attention", 0), ("convolution", 0), ("attention", 1), ("convolution", 1)]
    attention, convolution = plan["arms"]
    assert attention["dropped"] == [] and convolution["dropped"] == ["model.encoder.mixer.heads"]
    assert attention["parameters"] != convolution["parameters"] and attention["flops_per_token"] > 1000
    said = " ".join(plan["said"])
    assert "convolution has no place for model.encoder.mixer.heads: dropped there" in said
    assert "The budget is 3 updates for every arm and seed; the time that it takes differs" in said
    assert plan["data"]["part"] == "test" and set(plan["data"]["fingerprints"]) == {"train", "valid", "test"}


@pytest.mark.long
def test_a_training_part_too_large_for_memory_is_prepared_once_for_all_cells(runs, tmp_path, monkeypatch):
    monkeypatch.setattr("headway.preparation.preparing.LARGE", 10)
    monkeypatch.setattr("headway.lab.compare.comparing.cores", lambda: 1)
    results = compare(runs.data("tag"), LAYERS, tmp_path / "out", settings=settings(), seeds=1, steps=3)
    assert results.done == 2 and (tmp_path / "out" / "prepared").is_dir()
    assert results.plan["data"]["path"] == str(runs.data("tag")) and results.plan["data"]["counts"]["train"] == 40
    assert not list((tmp_path / "out" / "cells").glob("*.prepared")), "no cell has prepared its own"
    small = planned(runs.data("tag"), {"data.max_length": [5, 6]}, tmp_path / "read", seeds=1, steps=3)
    assert len(small["arms"]) == 2 and not (tmp_path / "read" / "prepared").exists()
    again = compare(runs.data("tag"), LAYERS, tmp_path / "out", settings=settings(), seeds=1, steps=3)
    assert again.done == 2


def test_seeds_follow_machine_seed_and_jobs_have_one_thread_each(runs, tmp_path):
    given = settings(**{"machine.seed": 7})
    del given["machine.threads"]
    plan = planned(runs.data("tag"), LAYERS, tmp_path / "out", seeds=2, steps=3, jobs=2, settings=given)
    assert plan["seeds"] == [7, 8] and plan["jobs"] == 2


def test_without_a_budget_the_recipes_passes_are_taken_and_said(runs, tmp_path):
    plan = planned(runs.data("tag"), LAYERS, tmp_path / "out", seeds=1)
    assert "passes over the training part; the time that it takes differs" in " ".join(plan["said"])
    timed = planned(runs.data("tag"), LAYERS, tmp_path / "timed", seeds=1, time="5m")
    assert timed["budget"]["words"] == "5 min of training for every arm and seed"
    assert "time that it takes differs" not in " ".join(timed["said"])


def test_without_a_test_part_the_valid_part_is_taken_and_said(tmp_path):
    for seed, part in enumerate(("train", "valid")):
        write(tmp_path / "data" / f"{part}.slash", lines("tag", 30, seed))
    plan = planned(tmp_path / "data", LAYERS, tmp_path / "out", seeds=1, steps=3)
    assert plan["data"]["part"] == "valid" and "There is no test part" in " ".join(plan["said"])


@pytest.mark.parametrize(
    "axes, how, told",
    [
        ({"model.encoder.layer": [1, 2]}, {}, "Did you mean model.encoder.layers?"),
        ({"model.encoder.width": [16, 17]}, {}, "17 is not a multiple of"),
        (LAYERS, {"steps": 3, "tokens": 3}, "one budget for every arm, and --tokens and --steps were given"),
        (LAYERS, {"seeds": 0}, "--seeds must be at least 1"),
        (LAYERS, {"jobs": 0}, "--jobs must be at least 1"),
        (
            {"training.learning_rate": [1e-3, 2e-3]},
            {"tune_learning_rate": True},
            "is an axis, and --tune-learning-rate",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(axes, how, told, runs, tmp_path):
    given = {path: value for path, value in settings().items() if path not in axes}
    with pytest.raises(UsageError) as refused:
        compare(runs.data("tag"), axes, tmp_path / "out", settings=given, **how)
    assert told in str(refused.value) and not (tmp_path / "out" / "cells").exists()


def test_a_folder_of_something_else_is_left_alone(runs, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "love.txt").write_text("dear")
    with pytest.raises(UsageError, match="exists, and headway compare did not make it"):
        compare(runs.data("tag"), LAYERS, tmp_path / "letters", settings=settings())


# ------------------------------------------------------------------------------------------------------------- training


class Heard(Watcher):
    """Keeps what it was told, and does something when a cell tells."""

    def __init__(self, on: Callable[[str, dict[str, Any]], None] = lambda name, event: None):
        self.on, self.cells, self.sentences = on, list[str](), list[str]()

    def said(self, text):
        self.sentences.append(text)

    def began(self, cell, number):
        self.cells.append(cell.folder.name)

    def heard(self, cell, event):
        self.on(cell.folder.name, event)


def outcome(folder: Path) -> list[tuple[Any, ...]]:
    """What came of every cell, without what clocks and memory say."""
    results = results_of(folder)
    return [
        (arm.name, seed, cell["values"], cell["items"], cell["resampled"], [p[0] for p in cell["curve"]])
        for arm in results.arms
        for seed, cell in arm.cells.items()
    ]


@pytest.mark.long
def test_a_comparison_is_trained_measured_and_reused(runs, tmp_path):
    out, watch = tmp_path / "out", Heard()
    results = headway.compare(
        runs.data("tag"), MIXERS, out, seeds=2, steps=8, settings=settings(), watch=watch, command="the command"
    )
    assert watch.cells == ["attention-0", "convolution-0", "attention-1", "convolution-1"]
    assert (results.done, results.total) == (4, 4) and len(results.pairs) == 1 and "majority" in results.baselines
    assert {path.name for path in out.glob("compare.*")} == {"compare.md", "compare.html", "compare.json"}
    assert "the command" in (out / "compare.md").read_text() and results.arms[0].peak_memory
    for arm in results.arms:
        assert [cell["facts"]["steps"] for cell in arm.cells.values()] == [8, 8]
    again, more = Heard(), {"model.encoder.mixer": ["attention", "ssru"]}
    results = compare(runs.data("tag"), more, out, seeds=2, steps=8, settings=settings(), watch=again)
    assert again.cells == ["ssru-0", "ssru-1"] and [arm.name for arm in results.arms] == ["attention", "ssru"]
    assert "2 of 4 are finished already and are kept" in again.sentences
    with pytest.raises(
        UsageError, match=r"cells of different settings are not mixed:\n  training.steps: 8 there, 9 now"
    ):
        compare(runs.data("tag"), MIXERS, out, seeds=2, steps=9, settings=settings())
    with pytest.raises(UsageError, match="was made with other data"):
        compare(data("tag", tmp_path / "other", rows=41), MIXERS, out, seeds=2, steps=8, settings=settings())


@pytest.mark.long
def test_two_jobs_find_what_one_finds(runs, tmp_path):
    for jobs in (1, 2):
        compare(runs.data("tag"), LAYERS, tmp_path / str(jobs), seeds=1, steps=8, jobs=jobs, settings=settings())
    assert outcome(tmp_path / "1") == outcome(tmp_path / "2")


@pytest.mark.long
def test_every_arm_has_the_rate_that_the_valid_part_chose(runs, tmp_path):
    how = {"seeds": 1, "steps": 10, "tune_learning_rate": True, "settings": settings()}
    results = compare(runs.data("tag"), LAYERS, tmp_path / "out", **how)
    for arm in results.arms:
        ladder = arm.told["ladder"]
        assert [rung["factor"] for rung in ladder] == [0.25, 0.5, 1, 2, 4]
        assert [rung["rate"] for rung in ladder] == pytest.approx([0.001, 0.002, 0.004, 0.008, 0.016])
        best = max(rung["value"] for rung in ladder)
        chosen = next(rung for rung in ladder if rung["rate"] == arm.told["learning_rate"])
        assert chosen["value"] == best and arm.cells[0]["learning_rate"] == chosen["rate"]
    assert "Learning rates tried" in (tmp_path / "out" / "compare.md").read_text()


@pytest.mark.long
@pytest.mark.parametrize("asked", ["classify", "regress", "transduce", "several"])
def test_every_question_can_be_compared(asked, tmp_path):
    if asked == "several":
        for seed, part in enumerate(("train", "valid", "test")):
            write(tmp_path / "data" / f"{part}.{ROWS[asked][0]}", lines(asked, 20, seed))
    else:
        data(asked, tmp_path / "data", rows=20)
    given = settings("classify" if asked == "several" else asked)
    results = compare(tmp_path / "data", LAYERS, tmp_path / "out", seeds=1, tokens=200, settings=given)
    assert results.done == 2 and all(arm.cells[0]["facts"]["tokens"] >= 200 for arm in results.arms)


@pytest.mark.long
def test_what_goes_wrong_in_a_cell_is_told_and_the_rest_is_kept(runs, tmp_path):
    def spoil(name: str, event: dict[str, Any]) -> None:
        if name == "layers=2-0" and event["event"] == "started":
            (tmp_path / "out" / "cells" / name / "peak.json").mkdir()

    how = {"seeds": 1, "steps": 8, "settings": settings()}
    with pytest.raises(HeadwayError, match=r"layers=2, seed 0: .*\nWhat is finished is kept"):
        compare(runs.data("tag"), LAYERS, tmp_path / "out", watch=Heard(spoil), **how)
    (tmp_path / "out" / "cells" / "layers=2-0" / "peak.json").rmdir()
    again = Heard()
    assert compare(runs.data("tag"), LAYERS, tmp_path / "out", watch=again, **how).done == 2
    assert again.cells == ["layers=2-0"]


# ------------------------------------------------------------------------------------------------- killed, and gone on

SLOWLY = settings(**{"training.evaluate_every": 100, "model.encoder.dropout": 0.1})
COMMAND = ["--axis", "model.encoder.layers=1,2", "--seeds", "1", "--steps", "600", *options(SLOWLY)]


def begun(data: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "headway", "compare", str(data), "--out", str(out), *COMMAND]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def until(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not holds():
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.02)


def gone_on(data: Path, out: Path) -> None:
    with begun(data, out) as process:
        printed, told = process.communicate(timeout=250)
    assert process.returncode == 0, told
    assert "The best accuracy has" in printed


@pytest.fixture(scope="session")
def whole(runs, tmp_path_factory):
    """The outcome of the comparison that nothing interrupts."""
    out = tmp_path_factory.mktemp("whole") / "out"
    gone_on(runs.data("tag"), out)
    return outcome(out)


@pytest.mark.long
def test_killed_in_the_middle_of_a_cell_it_ends_as_if_nothing_had_been(runs, whole, tmp_path):
    out = tmp_path / "out"
    run = out / "cells" / "layers=2-0" / "run"
    with begun(runs.data("tag"), out) as process:
        until(lambda: any((run / "checkpoints").glob("step-*")), process)
        process.kill()
    assert results_of(out).done == 1 and (run / "checkpoints").is_dir()
    gone_on(runs.data("tag"), out)
    assert outcome(out) == whole
    starts = [event for event in read_events(run / "metrics.jsonl") if event["event"] == "start"]
    assert starts[-1]["step"] > 0  # it went on and did not begin anew


@pytest.mark.long
def test_killed_between_two_cells_it_ends_as_if_nothing_had_been(runs, whole, tmp_path):
    out = tmp_path / "out"
    with begun(runs.data("tag"), out) as process:
        until((out / "cells" / "layers=1-0" / "cell.json").is_file, process)
        process.kill()
    gone_on(runs.data("tag"), out)
    assert outcome(out) == whole


@pytest.mark.long
def test_a_cell_does_not_outlive_whoever_started_it(runs, tmp_path):
    out = tmp_path / "out"
    log = out / "cells" / "layers=1-0" / "run" / "metrics.jsonl"
    with begun(runs.data("tag"), out) as process:
        until(log.is_file, process)
        process.kill()
    time.sleep(1.0)
    before = log.read_bytes()
    time.sleep(1.0)
    assert log.read_bytes() == before


@pytest.mark.long
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_prints_what_is_finished_and_says_how_to_go_on(number, code, runs, tmp_path):
    out = tmp_path / "out"
    run = out / "cells" / "layers=2-0" / "run"
    with begun(runs.data("tag"), out) as process:
        until(lambda: any(event["event"] == "step" for event in read_events(run / "metrics.jsonl")), process)
        process.send_signal(number)
        printed, told = process.communicate(timeout=120)
    assert process.returncode == code and "Traceback" not in told
    assert "everything is saved, and the same command goes on" in told and "So far 1 of 2 cells are finished" in printed


@pytest.mark.long
def test_two_commands_do_not_work_in_one_folder(runs, tmp_path):
    out = tmp_path / "out"
    with begun(runs.data("tag"), out) as process:
        until((out / "plan.json").is_file, process)
        with pytest.raises(UsageError, match="another headway compare works in"):
            compare(runs.data("tag"), LAYERS, out, seeds=1, steps=600, settings=SLOWLY)
        process.kill()


def test_plans_are_readable(runs, tmp_path):
    planned(runs.data("tag"), LAYERS, tmp_path / "out", seeds=1, steps=3)
    assert json.loads((tmp_path / "out" / "plan.json").read_text())["axes"] == {"model.encoder.layers": ["1", "2"]}
