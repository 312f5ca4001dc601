"""A resumed run is the run that was never stopped: what is stored for that, what is said where files are not whole."""

import json
import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from headway import storage
from headway.errors import RunError
from headway.run import RunFolder
from headway.training import checkpoint, events, loop
from headway.training.loop import Trainer
from little import Hears, Runs, quick, same_weights, stopped_after, tiny, train_and
from little import events as told

LONG = partial(pytest.param, marks=pytest.mark.long)
SETTINGS = tiny("tag", {"training.steps": 6, "training.evaluate_every": 2, "model.encoder.dropout": 0.1})


class Clock:
    """A clock on which every look takes as long, and which can be set."""

    def __init__(self, seconds: float = 1.0):
        self.now, self.seconds = 0.0, seconds

    def __call__(self) -> float:
        self.now += self.seconds
        return self.now


def clocked(trainer: Trainer, seconds: float) -> None:
    trainer.clock = Clock(seconds)


@pytest.fixture(scope="module")
def undisturbed(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "run"
    quick(runs.data("tag"), path, settings=SETTINGS)
    return path


@pytest.fixture(scope="module")
def left(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("left") / "run"
    stopped_after(5, runs.data("tag"), path, settings=SETTINGS)
    return path


@pytest.fixture
def stopped(left: Path, tmp_path: Path) -> Path:
    """Stopped in the middle, with checkpoints of steps 4 and 5 and the best weights of an evaluation."""
    return Path(shutil.copytree(left, tmp_path / "run"))


def resumed(runs: Runs, path: Path, settings: dict[str, Any] = SETTINGS) -> str:
    """What was said while it went on to the end."""
    hears = Hears()
    quick(runs.data("tag"), path, resume=True, settings=settings, listener=hears)
    return hears.text


def same(path: Path, whole: Path) -> bool:
    return same_weights(path, whole) and told(path) == told(whole)


# ------------------------------------------------------------------------------------------- what is fixed at the start


def killed_at_the_first_update(*arguments: Any, seconds: float = 1.0, **named: Any) -> None:
    class Killed(BaseException):
        pass

    def killed(trainer: Trainer) -> None:
        clocked(trainer, seconds)
        trainer._update = lambda update: (_ for _ in ()).throw(Killed())  # type: ignore[method-assign]

    with pytest.raises(Killed):
        quick(*arguments, prepared=killed, **named)


def test_the_number_of_updates_is_stored_before_the_first_one(runs, tmp_path):
    """Else a run that is killed early would be planned again, by the speed that is measured then."""
    settings = tiny("tag", {"training.steps": None, "training.time_limit": 50, "training.evaluate_every": None})
    path = tmp_path / "run"
    killed_at_the_first_update(runs.data("tag"), path, settings=settings)
    plan = checkpoint.begun(path / "checkpoints")
    assert plan is not None and (plan.steps, plan.every, plan.step) == (44, 9, 0), "0.88 × 50 s, 5 evaluations"
    seen: list[tuple[int, int]] = []

    def after(trainer: Trainer, step: int) -> None:
        seen.append((trainer.progress.steps, trainer.every))
        trainer.stop.set()

    hears = Hears(after)
    quick(
        runs.data("tag"), path, resume=True, listener=hears, prepared=hears.prepared,
        settings=settings | {"training.time_limit": 500},
    )  # fmt: skip
    assert seen == [(44, 9)], "neither another speed nor another limit changes them"


def test_a_plan_that_is_damaged_is_named(runs, tmp_path):
    path = tmp_path / "run"
    killed_at_the_first_update(runs.data("tag"), path, settings=SETTINGS)
    plan = path / "checkpoints" / "plan.json"
    plan.write_text(plan.read_text().replace('"steps": 6', '"steps": 7'))
    with pytest.raises(RunError, match=r"plan.json is damaged: its checksum is not the one inside it"):
        resumed(runs, path)


def best_at_the_sixth(self: Trainer, *_: Any) -> tuple[dict[str, float], bool]:
    """An evaluation that is worse every time, but for one."""
    progress = self.progress
    now = 1.0 if progress.step == 6 else 0.5 - progress.step / 100
    better = progress.best is None or now > progress.best
    progress.best = now if better else progress.best
    return {"accuracy": now}, better


@pytest.mark.long
def test_a_time_limit_only_stops(runs, tmp_path, monkeypatch):
    """Also where the evaluation at the stop is the best of all: more time ends as if there had been no limit."""
    monkeypatch.setattr(Trainer, "_measure", best_at_the_sixth)
    usual = tiny("tag", {"training.steps": 11, "training.evaluate_every": 4})
    quick(runs.data("tag"), tmp_path / "whole", settings=usual)
    path, limited = tmp_path / "run", usual | {"training.time_limit": 8}
    for resume in (False, True):  # the second has nothing left to do
        outcome = quick(
            runs.data("tag"), path, settings=limited, resume=resume, prepared=lambda trainer: clocked(trainer, 1.0)
        )
        assert outcome.facts["step"] == 6 and outcome.metrics and RunFolder(path).manifest()["step"] == 6
        assert [(e["event"], e["step"]) for e in told(path)[-2:]] == [("valid", 6), ("end", 6)]
    quick(runs.data("tag"), path, resume=True, settings=usual | {"training.time_limit": 600})
    assert RunFolder(path).manifest()["step"] == 4 and same(path, tmp_path / "whole")
    assert len(list(path.glob("weights-*"))) == 1


def test_weights_that_only_a_time_limit_found_are_taken_back(runs, tmp_path):
    """The metric of the evaluation at the stop is set to be the best of all."""
    path, folder = tmp_path / "run", RunFolder(tmp_path / "run")
    shutil.copytree(runs("tag"), path)
    before = folder.manifest()
    named = dict(folder.load()[2].named_parameters())
    with torch.no_grad():
        for weight in named.values():
            weight.mul_(2)
    folder.keep(named, 13, extra=True)
    assert folder.manifest()["step"] == 13 and folder.manifest()["before"] == before["weights"]
    assert not same_weights(path, runs("tag"))
    folder.take_back()
    assert folder.manifest() == before and same_weights(path, runs("tag")) and len(list(path.glob("weights-*"))) == 1
    folder.take_back()
    assert folder.manifest() == before
    folder.keep(named, 14, extra=True)
    folder.keep(named, 16)
    assert [file.name for file in path.glob("weights-*")] == ["weights-000000016.safetensors"]


# -------------------------------------------------------------------------------------------------- the first weights


@pytest.mark.long
def test_without_a_checkpoint_a_run_begins_with_the_weights_it_began_with(runs, tmp_path):
    settings = SETTINGS | {"training.learning_rate": 0.02}
    path = tmp_path / "run"
    killed_at_the_first_update(runs.data("tag"), path, settings=settings, start=runs("tag"))
    quick(runs.data("tag"), tmp_path / "whole", settings=settings, start=runs("tag"))
    quick(runs.data("tag"), path, resume=True, settings=settings)
    assert same(path, tmp_path / "whole")


@pytest.mark.long
def test_first_weights_that_are_others_now_are_refused(runs, tmp_path):
    start, path = runs.copy("tag", tmp_path / "start"), tmp_path / "run"
    killed_at_the_first_update(runs.data("tag"), path, settings=SETTINGS, start=start)
    shutil.rmtree(start)
    shutil.copytree(runs("tag", 1), start)
    with pytest.raises(RunError, match=r"has no whole checkpoint and begins with the weights of .*start, which are"):
        resumed(runs, path)


# -------------------------------------------------------------------------------------------------- files not whole


@pytest.mark.parametrize("name", ["run.yaml", "codecs.json"])
def test_what_was_fixed_at_the_start_is_known_by_its_checksum(name, stopped, runs):
    file = stopped / name
    file.write_bytes(file.read_bytes().replace(b"1", b"2", 1))
    with pytest.raises(RunError, match=rf"{name} is damaged: its checksum is not the one in environment.json"):
        resumed(runs, stopped)


def test_facts_that_were_changed_are_refused(stopped, runs):
    facts = json.loads((stopped / "environment.json").read_text())
    facts["data"]["format"] = "tsv"
    (stopped / "environment.json").write_text(json.dumps(facts))
    with pytest.raises(RunError, match=r"environment.json is damaged: its checksum is not the one inside it"):
        resumed(runs, stopped)


def test_checkpoints_without_settings_are_not_begun_over(stopped, runs):
    (stopped / "run.yaml").unlink()
    with pytest.raises(RunError, match=r"run.yaml is missing, and there are checkpoints of a run that it began"):
        resumed(runs, stopped)
    assert list((stopped / "checkpoints").glob("step-*"))


@pytest.mark.long
def test_facts_of_older_versions_have_no_checksums_and_are_read(stopped, runs, undisturbed):
    facts = json.loads((stopped / "environment.json").read_text())
    storage.write_json(stopped / "environment.json", {name: facts[name] for name in ("machine", "data")})
    for path in stopped.glob("checkpoints/step-*"):
        (path / "metrics.jsonl").unlink()
        progress = storage.read_json(path / "progress.json")
        del progress["every"]
        storage.write_json(path / "progress.json", progress)
        (path / "manifest.json").unlink()
        storage.seal(path)
        manifest = storage.read_json(path / "manifest.json")
        storage.write_json(path / "manifest.json", {"files": manifest["files"]})
    (stopped / "checkpoints" / "plan.json").unlink()
    resumed(runs, stopped)
    assert same(stopped, undisturbed)


@pytest.mark.long
@pytest.mark.parametrize("how", ["weights", "manifest"])
def test_best_weights_that_are_damaged_are_trained_again(how, stopped, runs, undisturbed):
    """They may be better than all that comes, and then nothing would bring them back."""
    file = next(stopped.glob("weights-*")) if how == "weights" else stopped / "manifest.json"
    file.write_bytes(file.read_bytes()[:-9])
    text = resumed(runs, stopped)
    assert file.name in text and "is damaged" in text and "; the best weights are trained again" in text
    assert same(stopped, undisturbed)


@pytest.mark.parametrize("how", [LONG("missing"), "changed", LONG("cut")])
def test_a_log_that_is_damaged_is_taken_from_the_checkpoint(how, stopped, runs, undisturbed):
    log = stopped / "metrics.jsonl"
    content = log.read_bytes()
    log.unlink()
    if how != "missing":
        log.write_bytes(
            content.replace(b'"loss": ', b'"loss": 1', 1) if how == "changed" else content[: len(content) // 2]
        )
    text = resumed(runs, stopped)
    assert f"{log} is missing or damaged; what the checkpoint holds of it is taken" in text
    assert same(stopped, undisturbed)


@pytest.mark.long
def test_a_log_that_is_whole_is_gone_on_with_in_silence(stopped, runs, undisturbed):
    with open(stopped / "metrics.jsonl", "ab") as log:
        log.write(b'{"event": "step", "step": 6, "loss": 1.0}\n{"event": "st')  # after the checkpoint
    text = resumed(runs, stopped)
    assert "metrics.jsonl" not in text and "damaged" not in text and "from step 5" in text
    assert same(stopped, undisturbed)


@pytest.mark.long
def test_a_manifest_must_name_what_is_needed(stopped, runs, undisturbed):
    last = stopped / "checkpoints" / "step-000000005"
    files = storage.read_json(last / "manifest.json")["files"]
    del files["optimizer.safetensors"]
    storage.write_sealed(last / "manifest.json", {"files": files})
    text = resumed(runs, stopped)
    assert "manifest.json is damaged: it does not name optimizer.safetensors among its files" in text
    assert same(stopped, undisturbed)


def test_what_a_kill_left_of_an_old_checkpoint_goes(runs, tmp_path, undisturbed):
    path = tmp_path / "run"
    shutil.copytree(undisturbed, path)
    left = path / "checkpoints" / "step-000000002"
    left.mkdir()
    (left / "weights.safetensors").write_bytes(b"")
    resumed(runs, path)
    assert sorted(p.name for p in path.glob("checkpoints/step-*")) == ["step-000000004", "step-000000006"]


@pytest.mark.long
def test_half_files_of_a_process_that_was_killed_before_it_began_go(runs, tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    (path / ".codecs.json.77.tmp").write_text("half")
    quick(runs.data("tag"), path, resume=True, settings=SETTINGS)
    assert not list(path.rglob("*.tmp"))


# --------------------------------------------------------------------------------------- disks, clocks, other processes


def test_a_folder_that_cannot_be_written_in_is_named(runs, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file.run cannot be made: Not a directory"):
        quick(runs.data("tag"), tmp_path / "file" / "run", settings=SETTINGS)

    def refused(path: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(RunError, match=r"run cannot be made: Permission denied"):
        quick(runs.data("tag"), tmp_path / "run", settings=SETTINGS)


@pytest.mark.long
def test_a_folder_that_becomes_read_only_ends_training_and_resume_goes_on(runs, tmp_path, undisturbed, monkeypatch):
    path, usual = tmp_path / "run", os.replace

    def refused(source: Any, target: Any) -> None:
        if str(target).endswith("step-000000004"):
            raise OSError(30, "Read-only file system")
        usual(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", refused)
        with pytest.raises(RunError, match=r"step-000000004 could not be written: Read-only file system; what was th"):
            quick(runs.data("tag"), path, settings=SETTINGS)
    resumed(runs, path)
    assert same(path, undisturbed)


@pytest.mark.parametrize("jump", [-1e9, LONG(1e9)])
def test_clocks_that_jump_change_nothing_that_is_learned(jump, runs, tmp_path, undisturbed, monkeypatch):
    """Neither the clock of the wall nor that of the machine, as after a long sleep."""

    def jumped(trainer: Trainer, step: int) -> None:
        if step == 3:
            monkeypatch.setattr(events.time, "time", lambda: 1.7e9 + jump)
            usual = loop.time.monotonic
            trainer.clock = lambda: usual() + jump

    train_and(jumped, runs.data("tag"), tmp_path / "run", settings=SETTINGS)
    assert same(tmp_path / "run", undisturbed)


def test_a_folder_that_another_process_trains_into_is_refused(stopped, runs):
    busy = RunError("")
    with (
        storage.held_alone(stopped, busy),
        pytest.raises(RunError, match=r"run is being trained by another process; stop that one, or wait for it"),
    ):
        resumed(runs, stopped)
    with storage.held_alone(stopped, busy):
        pass


def test_another_machine_is_said(stopped, runs):
    facts = storage.read_sealed(stopped / "environment.json")
    facts["machine"]["processor"], facts["machine"]["threads"] = "Z80", 3
    storage.write_sealed(stopped / "environment.json", facts)
    text = resumed(runs, stopped)
    assert "begun on another machine (processor Z80 then, " in text and "; threads 3 then, 1 now)" in text


def test_the_state_of_an_optimizer_lies_in_memory_as_its_parameter_does():
    parameter = torch.nn.Parameter(torch.randn(5, 3).t())
    optimizers = [torch.optim.AdamW([parameter], fused=True)]
    parameter.grad = torch.randn(3, 5)
    optimizers[0].step()
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.optimizer_tensors(optimizers).items()}
    checkpoint.restore_optimizers(optimizers, tensors)
    state = optimizers[0].state[parameter]
    assert state["exp_avg"].stride() == parameter.stride() and state["step"].item() == 1
    assert torch.equal(state["exp_avg"], tensors["0.0.exp_avg"])
