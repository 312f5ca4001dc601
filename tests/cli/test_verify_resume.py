"""`headway train --verify-resume`: processes that are really killed, here forks; each kind of difference is named."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

pytest.importorskip("fcntl", reason="forks need a system that has them")

from benchmarks.kills.children import Child

from headway import experiment, storage
from headway.lab.resuming import process, verifying
from headway.lab.resuming.differences import Check, checks
from headway.lab.resuming.task import Part
from headway.training import gradients, loop
from headway.training.loop import Trainer
from little import Runs, data, options, stopped_after, tiny

FEW = tiny("tag", {"training.steps": 6, "model.encoder.dropout": 0.2})


def as_it_is() -> None:
    """Nothing is changed."""


def another_order() -> None:
    usual = loop.plan
    loop.plan = lambda costs, tokens, seed, *more: usual(costs, tokens, os.getpid(), *more)  # no checkpoint knows it


def other_numbers() -> None:
    gradients.seed_of = lambda seed, step, part=0: os.getpid()


def work(change: Callable[[], None], task: Path, code: Path) -> None:
    change()
    experiment.write_report = lambda *_: None  # type: ignore[assignment]
    code.write_text(str(process.main(task)))


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """Each process is a fork, which has all imports already; `change` is what it does first."""
    found = SimpleNamespace(change=as_it_is)

    def run(command: list[str], stdout: Any, **_: Any) -> SimpleNamespace:
        code = tmp_path / "code"
        ended = Child(partial(work, found.change, Path(command[-1]), code), Path(stdout.name)).wait()
        return SimpleNamespace(returncode=int(code.read_text()) if ended == 0 else ended)

    monkeypatch.setattr(verifying, "subprocess", SimpleNamespace(run=run, DEVNULL=subprocess.DEVNULL))
    return found


@pytest.mark.long
def test_a_resume_is_shown_to_be_exact_and_leaves_nothing(headway, forked, runs, tmp_path):
    before = set(tmp_path.iterdir())
    command = ("train", runs.data("tag"), "--out", tmp_path / "never", "--verify-resume", *options(FEW))
    done = headway(*command)
    assert done.code == 0, done.err + done.out
    assert done.lines[-1] == "a run that is killed and resumed is the run that was never stopped, bit by bit"
    assert "DIFFERS" not in done.out and done.out.count("equal    ") == 8
    assert "the first 6 of 6 updates, an evaluation and a checkpoint every 2; killed in update " in done.out
    assert " and in the checkpoint of update 4" in done.out
    assert "the same, resumed and killed in the checkpoint of update 4" in done.err
    assert {path.name for path in set(tmp_path.iterdir()) - before} == {"code"}


@pytest.mark.long
def test_data_in_another_order_after_a_resume_are_found(headway, forked, runs):
    forked.change = another_order
    done = headway("train", runs.data("tag"), "--verify-resume", *options(FEW))
    assert done.code == 1 and "data order" in done.out
    assert "DIFFERS  update 1 had other rows" in done.out
    assert done.lines[-1] == "a run that is killed and resumed is ANOTHER run: what differs is above"


@pytest.mark.long
def test_random_numbers_that_no_seed_decides_are_found(headway, forked, runs):
    forked.change = other_numbers
    done = headway("train", runs.data("tag"), "--verify-resume", "--json", *options(FEW))
    assert done.code == 1
    told = json.loads(done.out)
    differences = {check["name"]: check["difference"] for check in told["checks"]}
    assert told["equal"] is False and differences["data order"] is None
    assert differences["losses, and so all that is drawn"].startswith("update 1 had another loss: ")
    assert " by at most " in differences["weights"] and "after update 6" in differences["weights"]


@pytest.mark.long
def test_a_training_by_the_clock_is_verified_as_far_as_a_third_of_the_time_allows(forked, runs, tmp_path, monkeypatch):
    monkeypatch.setattr(verifying, "random", SimpleNamespace(choice=lambda some: some[len(some) // 2]))
    settings = FEW | {"training.steps": None, "training.time_limit": 30, "training.evaluate_every": None}
    task = verifying.Task(
        data=str(runs.data("tag")), settings=[[name, value, "test"] for name, value in settings.items()], seconds=0.3
    )
    found = verifying.verify_resume(task, tmp_path)
    assert found.equal and found.updates == 3 * found.every < found.steps


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (["--resume"], 2, "--verify-resume is a training of its own: leave out --resume and --dry-run"),
        (["--model.encoder.layer", 3], 2, "Did you mean model.encoder.layers?"),
    ],
)
def test_what_is_wrong_with_the_training_is_told_as_by_the_training(arguments, code, words, headway, forked, runs):
    done = headway("train", runs.data("tag"), "--verify-resume", *options(FEW), *arguments)
    assert done.code == code and words in done.err and done.out == ""


def test_a_folder_that_is_not_there_is_named(headway, forked, runs, tmp_path):
    done = headway("train", runs.data("tag"), "--verify-resume", "--out", tmp_path / "no" / "run", *options(FEW))
    assert done.code == 1 and f"{tmp_path / 'no'} cannot be written in: No such file or directory" in done.err


def test_it_is_killed_after_a_first_checkpoint_and_in_a_later_one():
    for every, updates in ((1, 1), (1, 2), (2, 6), (40, 120)):
        moments = verifying._moments(Part(steps=200, told=10, every=every, updates=updates))
        where, step = moments[0]
        assert where == "update" and min(every, updates - 1) <= step < min(2 * every, updates)
        assert moments[1:] == ([("checkpoint", 2 * every)] if 2 * every <= updates else [])


# -------------------------------------------------------------------------------------- each difference has a sentence


@pytest.fixture(scope="module")
def pair(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, what was noted of its updates, and copies of both."""
    folder = tmp_path_factory.mktemp("pair")
    settings = tiny("tag", {"training.steps": 8, "training.evaluate_every": 4})
    stopped_after(6, runs.data("tag"), folder / "whole", settings=settings)
    shutil.copytree(folder / "whole", folder / "again")
    lines = [[step, f"rows {step}", float(step).hex(), "0x1.0p+3"] for step in range(6)]
    for name in ("whole", "again"):
        (folder / f"{name}.updates").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture
def changed(pair: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pair, tmp_path / "pair"))


def different(folder: Path) -> dict[str, str]:
    found = checks(folder / "whole", folder / "again", folder / "whole.updates", [folder / "again.updates"])
    assert len(found) == 8 and all(isinstance(check, Check) and check.count for check in found)
    return {check.name: check.difference for check in found if check.difference is not None}


LAST = "again/checkpoints/step-000000006"


def test_equal_runs_have_no_difference(pair):
    assert different(pair) == {}


def test_a_tensor_that_differs_is_named_with_the_step(changed):
    for name in ("weights", "optimizer", "average"):
        file = changed / LAST / f"{name}.safetensors"
        tensors = storage.read_tensors(file)
        tensors[sorted(tensors)[-1]] += 0.5
        storage.write_tensors(file, tensors)
    storage.seal(changed / LAST)
    assert different(changed).keys() == {"weights", "state of the optimizer", "averaged weights"}
    assert different(changed)["weights"].endswith("by at most 0.5 after update 6; 1 differ in all")
    storage.write_tensors(file, {"0": torch.zeros(1)})
    storage.seal(changed / LAST)
    assert different(changed)["averaged weights"] == "1 is in one of them only"


def test_a_zero_of_another_sign_is_another_number(changed):
    for run, zero in (("whole", 0.0), ("again", -0.0)):
        last = changed / run / "checkpoints" / "step-000000006"
        storage.write_tensors(last / "average.safetensors", {"0": torch.full((3,), zero)})
        storage.seal(last)
    assert different(changed) == {"averaged weights": "0 by at most 0 after update 6; 1 differ in all"}


def test_a_value_of_the_progress_that_differs_is_named(changed):
    progress = storage.read_json(changed / LAST / "progress.json")
    storage.write_json(changed / LAST / "progress.json", progress | {"stale": 7, "seconds": 1e6})
    storage.seal(changed / LAST)
    assert different(changed) == {"position, schedule, early stopping": "stale: 0 and 7"}


def test_a_metric_that_differs_is_named_with_the_step(changed):
    log = changed / "again" / "metrics.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (valid,) = (line for line in lines if line["event"] == "valid")
    valid["accuracy"], expected = 0.125, valid["accuracy"]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert different(changed) == {"metrics": f"accuracy at step 4: {expected} and 0.125"}
    log.write_text("".join(json.dumps(line) + "\n" for line in lines if line["event"] != "valid")[:-1])
    assert "metrics" in different(changed)


def test_best_weights_that_differ_are_named(changed):
    manifest = storage.read_sealed(changed / "again" / "manifest.json")
    weights = changed / "again" / manifest["weights"]
    tensors = storage.read_tensors(weights)
    storage.write_tensors(weights, tensors | {sorted(tensors)[0]: tensors[sorted(tensors)[0]] + 1})
    names = list(manifest.pop("files"))
    storage.seal(changed / "again", names, **manifest)
    assert different(changed)["best weights"].startswith(f"{sorted(tensors)[0]} by at most 1 ")
    storage.seal(changed / "again", names, **manifest | {"step": 2})
    assert different(changed)["best weights"] == "those of step 4 and 2"


@pytest.mark.parametrize(
    "line, name, text",
    [
        ([2, "rows 9", float(2).hex(), "0x1.0p+3"], "data order", "update 3 had other rows"),
        ([2, "rows 2", "0x1.8p+1", "0x1.0p+3"], "losses, and so all that is drawn", "update 3 had another loss: 2.0 a"),
        ([9, "rows 9", "0x0p+0", "0x1.0p+3"], "data order", "update 10 was made only after the resume"),
        (None, "data order", "update 6 was not made after the resume"),
    ],
)
def test_an_update_that_differs_is_named(line, name, text, changed):
    """A replayed one, too; a last line that was cut is left out."""
    updates = changed / "again.updates"
    if line is None:
        updates.write_text("".join(updates.read_text().splitlines(keepends=True)[:-1]) + "[5, ")
    else:
        with open(updates, "a") as file:
            file.write(json.dumps(line) + "\n")
    assert different(changed)[name].startswith(text)


@pytest.mark.long
def test_the_command_itself(tmp_path):
    """In processes of its own, on a task whose answers are written step by step."""
    settings = options(tiny("transduce", {"training.steps": 12, "model.encoder.dropout": 0.1}))
    command = [sys.executable, "-W", "error", "-m", "headway", "train", str(data("transduce", tmp_path / "data"))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--verify-resume", "--json", *settings], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["equal"] and len(told["kills"]) == 2 and told["updates"] == 12


@pytest.mark.long
def test_what_is_noted_of_an_update_is_its_rows_and_its_loss(runs, tmp_path):
    task = process.Task(told=str(tmp_path / "noted"), out=str(tmp_path / "run"))
    watched = process.Watched(task)
    seen: list[int] = []

    def prepared(trainer: Trainer) -> None:
        watched.prepared(trainer)
        seen.append(len(trainer.valid.examples))

    from little import quick

    quick(runs.data("tag"), tmp_path / "run", settings=FEW, listener=watched, prepared=prepared)
    lines = [json.loads(line) for line in (tmp_path / "noted.updates").read_text().splitlines()]
    assert [line[0] for line in lines] == list(range(6)) and len({line[1] for line in lines}) > 1
    assert all(float.fromhex(line[2]) > 0 and float.fromhex(line[3]) > 0 for line in lines) and seen == [12]
    assert json.loads((tmp_path / "noted.part").read_text()) == {"steps": 6, "told": 4, "every": 2, "updates": 6}
