"""A run folder is read whole or not at all; whatever a full disk or a loss of power leaves, the run goes on from it."""

import errno
import os
import pathlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import headway
from headway import storage
from headway.errors import RunError
from headway.run import RunFolder
from headway.training import checkpoint
from headway.version import RUN_FORMAT, __version__
from little import Runs, quick, same_weights, stopped_after, tiny


def changed(folder: Path, **values: Any) -> None:
    """The manifest with other values."""
    path = folder / "manifest.json"
    storage.write_sealed(path, storage.read_sealed(path) | values)


def resealed(folder: Path) -> None:
    """Checksums of what is there now, as somebody makes them who edits a run by hand."""
    names = storage.read_json(folder / "manifest.json")["files"]
    changed(folder, files={name: storage.checksum(folder / name) for name in names})


def weights_of(folder: Path) -> Path:
    return next(folder.glob("weights-*"))


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name if name else weights_of(folder)).unlink()


def flipped(name: str) -> Callable[[Path], None]:
    """One bit is another."""

    def flip(folder: Path) -> None:
        file = folder / name if name else weights_of(folder)
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)

    return flip


def written(name: str, content: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_text(content)
        resealed(folder)

    return write


def poisoned(folder: Path) -> None:
    tensors = storage.read_tensors(weights_of(folder))
    next(iter(tensors.values())).view(-1)[0] = torch.nan
    storage.write_tensors(weights_of(folder), tensors)
    resealed(folder)


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "no folder": (shutil.rmtree, "is no run folder: there is no such folder"),
    "no manifest": (without("manifest.json"), "is no finished run folder: it has no manifest.json; a training that"),
    "no settings": (without("run.yaml"), "run.yaml is missing, and manifest.json says it belongs there"),
    "no codecs": (without("codecs.json"), "codecs.json is missing, and manifest.json says it belongs there"),
    "no weights": (without(""), ".safetensors is missing, and manifest.json says it belongs there"),
    "other settings": (flipped("run.yaml"), "run.yaml is damaged: its checksum is not the one in manifest.json"),
    "other codecs": (flipped("codecs.json"), "codecs.json is damaged: its checksum is not the one in manifest.json"),
    "other weights": (flipped(""), ".safetensors is damaged: its checksum is not the one in manifest.json"),
    "half a manifest": (lambda f: (f / "manifest.json").write_text('{"format": 1, '), "manifest.json is damaged: "),
    "a list": (lambda f: (f / "manifest.json").write_text("[]"), "manifest.json is damaged: it names no format"),
    "no format": (lambda f: changed(f, format="1"), "manifest.json is damaged: it names no format"),
    "newer": (
        lambda f: changed(f, format=RUN_FORMAT + 1, headway="9.1\x1b"),
        f"has format {RUN_FORMAT + 1}, and headway {__version__} reads formats up to {RUN_FORMAT}: it was written by "
        "headway 9.1\\x1b, so a newer headway reads it",
    ),
    "no weights named": (lambda f: changed(f, weights=None), "manifest.json is damaged: it does not name None among"),
    "other files named": (lambda f: changed(f, weights="../w"), "is damaged: it does not name ../w among its files"),
    "an unknown setting": (written("run.yaml", "model:\n  layers: 3\n"), "run.yaml cannot be read by headway"),
    "no YAML": (written("run.yaml", "model: ["), "run.yaml cannot be read by headway"),
    "codecs of nothing": (written("codecs.json", "[]"), "codecs.json is damaged: it holds no codecs"),
    "empty codecs": (
        written("codecs.json", '{"source": {}, "target": {}}'),
        "codecs.json is damaged: it holds no codecs",
    ),
    "codecs by halves": (
        written("codecs.json", '{"source": {"tokenizer": 3}, "target": {"labels": 5}}'),
        "codecs.json is damaged: ",
    ),
    "codecs nested": (written("codecs.json", "[" * 99_999), "codecs.json is damaged: "),
    "another size": (written("run.yaml", "model:\n  task: tag\n"), "does not fit the model: "),
    "no model": (written("run.yaml", "model: {task: tag, encoder: {width: 15}}\n"), "makes no model: "),
    "not finite": (poisoned, "holds numbers that are not finite"),
    "no facts": (lambda f: (f / "environment.json").write_text("{}"), "environment.json is damaged: it holds no facts"),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_run_says_what_is_wrong(name, runs, tmp_path, capsys):
    from headway.cli import run

    folder = runs.copy("tag", tmp_path / "run")
    DAMAGE[name][0](folder)
    with pytest.raises(RunError) as error:
        headway.load(folder)
    assert DAMAGE[name][1] in str(error.value)
    for command in (["predict", str(folder), "--text", "a"], ["evaluate", str(folder), str(runs.data("tag"))]):
        assert run(command) == 1
        told = capsys.readouterr().err
        assert DAMAGE[name][1] in told and "Traceback" not in told and "\x1b" not in told


def test_what_is_written_is_read(runs):
    run, codecs, model = RunFolder(runs("tag")).load()
    again = RunFolder(runs("tag")).load()
    assert run == again[0] and codecs.state() == again[1].state()
    assert not model.training and run.task == "tag" and run.model.encoder.width == 16
    manifest = storage.verified(runs("tag"))
    assert manifest["format"] == RUN_FORMAT and manifest["headway"] == __version__
    assert manifest["files"].keys() == {"run.yaml", "codecs.json", manifest["weights"]}


def test_older_checkpoints_go_and_two_are_kept(runs):
    assert [path.name for path in sorted((runs("tag") / "checkpoints").glob("step-*"))] == [
        "step-000000008", "step-000000012"
    ]  # fmt: skip
    assert len(list(runs("tag").glob("weights-*"))) == 1


# ---------------------------------------------------------------------------------------------- going on after damage

SETTINGS = tiny("tag", {"training.steps": 6, "training.evaluate_every": 2, "model.encoder.dropout": 0.1})


@pytest.fixture(scope="session")
def undisturbed(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "run"
    quick(runs.data("tag"), path, settings=SETTINGS)
    return path


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", ["weights.safetensors", "optimizer.safetensors", "progress.json", "manifest.json"])
def test_a_damaged_checkpoint_is_passed_over_and_named(name, runs, tmp_path, undisturbed):
    path = tmp_path / "run"
    stopped_after(5, runs.data("tag"), path, settings=SETTINGS)
    last = path / "checkpoints" / "step-000000005"
    flipped(name)(last)
    said: list[str] = []
    found = checkpoint.latest(path / "checkpoints", said.append)
    assert found is not None and found.name == "step-000000004" and "checkpoint passed over: " in said[0]
    assert str(last) in said[0]
    quick(runs.data("tag"), path, resume=True, settings=SETTINGS)
    assert same_weights(path, undisturbed)


def test_without_any_whole_checkpoint_it_begins_again(runs, tmp_path, undisturbed):
    path = tmp_path / "run"
    stopped_after(3, runs.data("tag"), path, settings=SETTINGS)
    for saved in (path / "checkpoints").glob("step-*"):
        (saved / "weights.safetensors").unlink()
    quick(runs.data("tag"), path, resume=True, settings=SETTINGS)
    assert same_weights(path, undisturbed)


class NoPower(BaseException):
    """The machine is off."""


class Machine:
    """Counts what is asked of the disk, and goes off at one of the calls; nothing works from then on."""

    ASKED = ((os, "fsync"), (os, "replace"), (shutil, "rmtree"), (pathlib.Path, "unlink"), (pathlib.Path, "mkdir"))

    def __init__(self, last: int, monkeypatch: pytest.MonkeyPatch):
        self.calls, self.last = 0, last
        for owner, name in self.ASKED:
            monkeypatch.setattr(owner, name, self.counted(getattr(owner, name)))

    def counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls > self.last:
                raise NoPower
            return call(*arguments, **named)

        return asked


def off_at(call: int, data: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a training of which this is the last call to the disk was cut off."""
    with monkeypatch.context() as patched:
        Machine(call, patched)
        try:
            quick(data, path, settings=SETTINGS)
        except NoPower:
            return True
    return False


@pytest.mark.sampled(6)
@pytest.mark.parametrize("call", [0, 1, 5, 9, 14, 17, 23, 26, 31, 40, 47, 55])
def test_a_loss_of_power_costs_what_came_after_the_last_checkpoint(call, runs, tmp_path, undisturbed, monkeypatch):
    path = tmp_path / "run"
    assert off_at(call, runs.data("tag"), path, monkeypatch)
    quick(runs.data("tag"), path, resume=True, settings=SETTINGS)
    assert same_weights(path, undisturbed) and not list(path.rglob("*.tmp"))


@pytest.mark.long
def test_power_may_be_lost_at_any_moment(runs, tmp_path, undisturbed, monkeypatch):
    call = 0
    while off_at(call, runs.data("tag"), path := tmp_path / str(call), monkeypatch):
        quick(runs.data("tag"), path, resume=True, settings=SETTINGS)
        assert same_weights(path, undisturbed), call
        call += 1
    assert call > 50


@pytest.mark.sampled(4)
@pytest.mark.parametrize("call", [2, 6, 9, 12, 17, 24])
def test_a_full_disk_leaves_the_last_checkpoint_to_go_on_from(call, runs, tmp_path, undisturbed, monkeypatch):
    path, calls = tmp_path / "run", []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > call:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(RunError, match=r"could not be written: No space left on device; what was there before is"):
            quick(runs.data("tag"), path, settings=SETTINGS)
    saved = checkpoint.latest(path / "checkpoints", pytest.fail)
    assert (saved is None) == (call < 20), "the first checkpoint is whole with the 20th file that is synced"
    quick(runs.data("tag"), path, resume=True, settings=SETTINGS)
    assert same_weights(path, undisturbed)
