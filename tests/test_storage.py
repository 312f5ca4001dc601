"""Files that are whole or not there: whatever fails, the file of before or the file of after is what is read."""

import errno
import json
import os

import pytest
import torch
from torch import nn

from headway import storage
from headway.errors import RunError, UsageError

CALLS = ["write", "fsync", "replace"]


def fails(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full when this is asked of it."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if call == "write":
        real = open

        def opened(path, mode="r", *more, **how):
            file = real(path, mode, *more, **how)
            return _Full(file) if "w" in mode else file

        monkeypatch.setattr("builtins.open", opened)
    else:
        monkeypatch.setattr(os, call, full)


class _Full:
    """An open file that takes half of what it is given."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, content: bytes) -> None:
        self.file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("call", CALLS)
def test_a_full_disk_leaves_what_was_there(call, tmp_path, monkeypatch):
    path = tmp_path / "kept.json"
    storage.write_json(path, {"a": 1})
    with monkeypatch.context() as patched:
        fails(call, patched)
        with pytest.raises(RunError, match=r"kept.json could not be written: No space left on device; what was there"):
            storage.write_json(path, {"a": 2})
    assert storage.read_json(path) == {"a": 1} and [file.name for file in tmp_path.iterdir()] == ["kept.json"]
    storage.write_json(path, {"a": 3})
    assert storage.read_json(path) == {"a": 3}


@pytest.mark.parametrize("call", CALLS)
def test_a_folder_on_a_full_disk_does_not_appear(call, tmp_path, monkeypatch):
    fails(call, monkeypatch)
    with pytest.raises(RunError, match=r"No space left on device"), storage.whole_folder(tmp_path / "new") as new:
        storage.write(new / "file", b"content")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_appears_when_all_of_it_is_there(tmp_path):
    with storage.whole_folder(tmp_path / "new") as new:
        storage.write(new / "a", b"1")
        storage.write(new / "b", b"2")
        assert not (tmp_path / "new").exists()
    assert storage.verified(tmp_path / "new")["files"].keys() == {"a", "b"}
    with pytest.raises(ZeroDivisionError), storage.whole_folder(tmp_path / "never") as new:
        storage.write(new / "a", b"1")
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_what_a_killed_process_left_is_swept_away_and_nothing_else(tmp_path):
    (tmp_path / ".weights.123.tmp").write_text("half")
    (tmp_path / ".step-000000001.9.tmp").mkdir()
    (tmp_path / ".step-000000001.9.tmp" / "a").write_text("")
    for name in ("a.tmp", ".hidden", "kept"):
        (tmp_path / name).write_text("")
    storage.sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "a.tmp", "kept"]


def sealed(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    storage.seal(tmp_path, ["a", "b"], format=1)
    return tmp_path / storage.MANIFEST


def test_a_manifest_knows_its_files(tmp_path):
    sealed(tmp_path)
    (tmp_path / "another").write_text("is not its business")
    manifest = storage.verified(tmp_path)
    assert manifest["format"] == 1 and manifest["files"] == {
        "a": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        "b": "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d",
    }, "SHA-256, as sha256sum prints it"


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "sub/a"])
def test_a_manifest_never_leads_out_of_its_folder(name, tmp_path):
    sealed(tmp_path).write_text(json.dumps({"files": {name: "0"}}))
    with pytest.raises(RunError, match=r"manifest.json is damaged: '.*' is no plain file name"):
        storage.verified(tmp_path)


@pytest.mark.parametrize(
    "content, words",
    [
        ("{", "manifest.json is damaged: "),
        ("[]", "manifest.json is damaged: it names no files"),
        ('{"files": 3}', "manifest.json is damaged: it names no files"),
        ("[" * 100_000, "manifest.json is damaged: "),
    ],
)
def test_a_manifest_that_is_none(content, words, tmp_path):
    sealed(tmp_path).write_text(content)
    with pytest.raises(RunError) as error:
        storage.verified(tmp_path)
    assert words in str(error.value)


def test_files_that_are_gone_or_changed(tmp_path):
    sealed(tmp_path)
    (tmp_path / "a").write_text("A")
    with pytest.raises(RunError, match=r"a is damaged: its checksum is not the one in manifest.json"):
        storage.verified(tmp_path)
    (tmp_path / "a").unlink()
    with pytest.raises(RunError, match=r"a is missing, and manifest.json says it belongs there"):
        storage.verified(tmp_path)


def test_json_too_large_to_be_ours_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "JSON_LIMIT", 1 << 20)
    (tmp_path / "large.json").write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(RunError, match=r"large.json is larger than 1 MiB"):
        storage.read_json(tmp_path / "large.json")
    with pytest.raises(RunError, match=r"none.json cannot be read: No such file"):
        storage.read_json(tmp_path / "none.json")


# ------------------------------------------------------------------------------------------------------------- tensors


def test_tensors_come_back_bit_by_bit(tmp_path):
    tensors = {
        "a": torch.randn(3, 5).t(),
        "b": torch.tensor([float("inf"), -0.0, 1e-45]),
        "c": torch.arange(7).to(torch.bfloat16),
        "d": torch.zeros(0, 2),
        "e": torch.tensor(3),
    }
    storage.write_tensors(tmp_path / "t", tensors, {"step": "3"})
    found = storage.read_tensors(tmp_path / "t")
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype and found[name].shape == tensor.shape
        assert found[name].contiguous().view(-1).tolist() == tensor.reshape(-1).tolist()


@pytest.mark.parametrize("cut", [0, 5, 8, 40, -1])
def test_half_a_file_of_tensors_is_refused(cut, tmp_path):
    storage.write_tensors(tmp_path / "t", {"a": torch.randn(11)})
    (tmp_path / "t").write_bytes((tmp_path / "t").read_bytes()[:cut])
    with pytest.raises(RunError, match=r"t is damaged, or no safetensors file"):
        storage.read_tensors(tmp_path / "t")


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"weight": torch.zeros(3, 5)}, r"it lacks \['bias'\], and has nothing more"),
        ({"weight": torch.zeros(3, 5), "bias": torch.zeros(3), "c": torch.zeros(1)}, r"lacks nothing, and has \['c'\]"),
        ({"weight": torch.zeros(5, 3), "bias": torch.zeros(3)}, r"weight is \(5, 3\), not \(3, 5\)"),
        ({"weight": torch.zeros(3, 5), "bias": torch.zeros(3).double()}, r"bias is torch.float64, not torch.float32"),
        ({"weight": torch.zeros(3, 5), "bias": torch.full((3,), torch.nan)}, r"bias holds numbers that are not finite"),
    ],
)
def test_weights_of_another_model_are_refused(changed, words, tmp_path):
    with pytest.raises(RunError, match=words):
        storage.load_into(nn.Linear(5, 3), changed, tmp_path / "w")


def test_what_fits_is_taken_over():
    old, new = nn.Sequential(nn.Linear(5, 3), nn.Linear(3, 2)), nn.Sequential(nn.Linear(5, 3), nn.Linear(3, 7))
    before = new[1].weight.clone()
    taken, fresh = storage.take_over(new, dict(old.named_parameters()))
    assert (taken, fresh) == (2, ["1.weight", "1.bias"])
    assert torch.equal(new[0].weight, old[0].weight) and torch.equal(new[1].weight, before)


# ----------------------------------------------------------------------------------- files that hold their own checksum


def test_what_is_sealed_is_read_and_older_files_have_no_checksum(tmp_path):
    path, value = tmp_path / "a.json", {"b": [1, 2.5, None], "a": {"ä": True}}
    storage.write_sealed(path, value)
    assert storage.read_sealed(path) == value and list(storage.read_json(path)) == ["b", "a", "checksum"]
    for older in (value, [1], {}, "text"):
        storage.write_json(path, older)
        assert storage.read_sealed(path) == older


@pytest.mark.long
def test_every_bit_of_a_sealed_file_counts(tmp_path):
    """But those of its white space and of how a character is written, which say nothing."""
    path = tmp_path / "a.json"
    storage.write_sealed(path, {"step": 12, "files": {"a": "0f"}})
    content, meant = path.read_bytes(), storage.read_json(path)
    for place in range(len(content)):
        for bit in range(8):
            path.write_bytes(content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :])
            try:
                storage.read_sealed(path)
            except RunError as error:
                assert "a.json is damaged" in str(error)
            else:
                assert storage.read_json(path) == meant, (place, bit)


@pytest.mark.parametrize("name", ["weights", "optimizer"])
def test_a_manifest_that_lacks_what_is_needed_is_damaged(name, tmp_path):
    sealed(tmp_path)
    with pytest.raises(RunError, match=rf"manifest.json is damaged: it does not name {name} among its files"):
        storage.verified(tmp_path, ["a", name])


def test_a_folder_is_held_by_one_at_a_time(tmp_path):
    pytest.importorskip("fcntl")
    busy = RunError("busy")
    refused = pytest.raises(RunError, match="busy")
    with storage.held_alone(tmp_path, busy), refused, storage.held_alone(tmp_path, busy):
        pass
    with pytest.raises(ZeroDivisionError), storage.held_alone(tmp_path, busy):
        raise ZeroDivisionError
    with storage.held_alone(tmp_path, busy), storage.held_alone(tmp_path / "none", busy):
        pass


def test_long_work_has_a_folder_of_its_own_and_goes_on_in_it(tmp_path):
    pytest.importorskip("fcntl")
    out, how = tmp_path / "in" / "out", ("compare", ["plan.json"], ["cells"])
    with storage.work_folder(out, *how):
        assert out.is_dir() and not list(out.iterdir())
        with (
            pytest.raises(UsageError, match=r"another headway compare works in .*out; wait for it to end"),
            storage.work_folder(out, *how),
        ):
            pass
    (out / "cells").mkdir()
    (out / f".plan{storage.HALF}").touch()
    (out / ".DS_Store").touch()
    with storage.work_folder(out, *how):  # ended before its plan was written
        (out / "plan.json").touch()
    (out / "compare.md").touch()
    with storage.work_folder(out, *how):
        pass
    (out / "plan.json").unlink()
    for other in (out, out / "compare.md"):
        refused = pytest.raises(UsageError, match=r"exists, and headway compare did not make it; choose another --out")
        with refused, storage.work_folder(other, *how):
            pass
    with pytest.raises(RunError, match="could not be written"), storage.work_folder(out / "compare.md" / "a", *how):
        pass
