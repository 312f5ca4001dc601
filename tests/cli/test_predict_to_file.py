"""`headway predict --out`: the same bytes in one go or in several, out of one process or many."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headway import cli, storage
from headway.cli import _sharded as sharded
from headway.errors import UsageError
from headway.processes import side_by_side
from little import lines, write


@pytest.fixture
def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharded, "AHEAD", 5)


def words(folder: Path, count: int = 23) -> Path:
    return write(folder / "words.tsv", ["source\ttarget", *lines("transduce", count, seed=5)])


def answered(run: Path, file: Path, *more: str) -> int:
    return cli.run(["predict", str(run), str(file), *more])


@pytest.mark.parametrize("more", [("--json",), ("--scores",), ("--mode", "sample", "--sampling-seed", "3")])
def test_the_file_holds_what_standard_output_would(more, runs, tmp_path, capsys, in_small_pieces):
    file, out = words(tmp_path), tmp_path / "answers"
    assert answered(runs("transduce"), file, "--out", str(out), *more) == 0
    told = capsys.readouterr()
    assert not told.out and "23 examples are answered" in told.err
    assert answered(runs("transduce"), file, *more) == 0
    assert out.read_text(encoding="utf-8") == capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers", "words.tsv"]


def test_columns_and_several_files_follow_each_other(runs, tmp_path, capsys, in_small_pieces):
    grid = write(tmp_path / "a.conll", [line for n in range(7) for line in (f"ant{n}\tQ", "bee\tQ", "")])
    plain = write(tmp_path / "b.txt", [f"cat {n} dog" for n in range(6)])
    assert cli.run(["predict", str(runs("tag")), str(grid), str(plain), "--out", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    assert cli.run(["predict", str(runs("tag")), str(grid), str(plain)]) == 0
    assert (tmp_path / "out").read_text(encoding="utf-8") == capsys.readouterr().out


def test_stopped_half_way_it_goes_on_where_it_was(runs, tmp_path, capsys, in_small_pieces, monkeypatch):
    file, whole, out = words(tmp_path), tmp_path / "whole", tmp_path / "out"
    assert answered(runs("transduce"), file, "--out", str(whole)) == 0
    keep, kept = sharded._write, []

    def stopped(path: Path, count: int, content: bytes) -> None:
        if len(kept) == 2:
            raise KeyboardInterrupt
        kept.append(path.name)
        keep(path, count, content)

    monkeypatch.setattr(sharded, "_write", stopped)
    assert answered(runs("transduce"), file, "--out", str(out)) == 130 and not out.exists()
    unfinished = tmp_path / "out.unfinished"
    damaged = unfinished / kept[0]
    damaged.write_bytes(damaged.read_bytes() + b"more")
    monkeypatch.setattr(sharded, "_write", lambda *args: (kept.append(args[0].name), keep(*args)))
    assert answered(runs("transduce"), file, "--out", str(out), "--processes", "1") == 0
    assert "2 pieces are answered already" in capsys.readouterr().err
    assert out.read_bytes() == whole.read_bytes() and not unfinished.exists()
    assert kept == ["piece-0000000", "piece-0000001", "piece-0000000", *(f"piece-000000{n}" for n in (2, 3, 4))]


def test_shares_of_several_processes_make_the_same_file(runs, tmp_path, in_small_pieces):
    """Both shares are worked on here, one after the other, in the wrong order."""
    file = words(tmp_path)
    how = {"mode": "greedy", "scores": True}
    task = sharded.task_of([runs("transduce")], [file], how, {"scores": True, "nbest": 1, "json": False},
                           format=None, source=None)  # fmt: skip
    for out, shares in (("one", [(0, 1)]), ("two", [(1, 2), (0, 2)])):
        folder = tmp_path / out
        sharded._begin(task, folder)
        assert sum(sum(sharded._answered(task, folder, *share)) for share in shares) == 23
        assert sharded._join(folder, tmp_path / f"{out}.txt") == 23
    assert (tmp_path / "one.txt").read_bytes() == (tmp_path / "two.txt").read_bytes()


def test_what_cannot_be_is_said(runs, tmp_path, capsys, in_small_pieces):
    run, file, out = runs("transduce"), words(tmp_path), tmp_path / "out"
    for more, complaint in [
        (("--processes", "2"), "--processes write into a file: give --out"),
        (("--out", str(out), "--processes", "0"), "--processes must be at least 1, and is 0"),
        (("--out", str(file)), "words.tsv exists; choose another --out"),
        (("--out", str(out), "--given"), "leave out --given"),
    ]:
        assert answered(run, file, *more) == 2 and complaint in capsys.readouterr().err
    assert answered(run, tmp_path / "words.tsw", "--out", str(out)) == 3
    assert "Did you mean" in capsys.readouterr().err
    task = sharded.task_of([run], [file], {"mode": "greedy"}, {}, format=None, source=None)
    sharded._begin(task, tmp_path / "out.unfinished")
    assert answered(run, file, "--out", str(out)) == 2
    assert "asked for otherwise (how it answers, what is written differ)" in capsys.readouterr().err
    storage.write_sealed(tmp_path / "out.unfinished" / "task.json", {"version": "1"})
    assert answered(run, file, "--out", str(out)) == 1 and "task.json is damaged" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "out.unfinished")


def test_a_piece_that_is_gone_is_never_passed_over(runs, tmp_path, in_small_pieces):
    sharded._write(tmp_path / "piece-0000000", 5, b"one\n")
    sharded._write(tmp_path / "piece-0000002", 5, b"three\n")
    with pytest.raises(Exception, match=r"a piece in .* is damaged or gone"):
        sharded._join(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_at_a_time_are_refused(runs, tmp_path, capsys):
    pytest.importorskip("fcntl")
    (tmp_path / "out.unfinished").mkdir()
    with storage.held_alone(tmp_path / "out.unfinished", UsageError("")):
        assert answered(runs("transduce"), words(tmp_path), "--out", str(tmp_path / "out")) == 2
    assert "another headway predict works" in capsys.readouterr().err
    assert answered(runs("transduce"), words(tmp_path), "--out", str(tmp_path / "out")) == 0


@pytest.mark.long
def test_processes_killed_half_way_go_on_and_write_the_same(runs, tmp_path):
    file = words(tmp_path, 12_000)
    command = [sys.executable, "-m", "headway", "predict", str(runs("transduce")), str(file), "--out"]
    assert subprocess.run([*command, str(tmp_path / "whole")], check=False).returncode == 0
    out, folder = tmp_path / "out", tmp_path / "out.unfinished"
    with subprocess.Popen([*command, str(out), "--processes", "2"], stderr=subprocess.PIPE, text=True) as process:
        while len(list(folder.glob("piece-*"))) < 3:
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    time.sleep(1.0)  # the processes that answer hear of it
    left = len(list(folder.glob("piece-*")))
    time.sleep(0.5)
    assert left == len(list(folder.glob("piece-*"))) and not out.exists()
    assert subprocess.run([*command, str(out), "--processes", "2"], check=False).returncode == 0
    assert out.read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.long
def test_what_a_process_complains_of_is_passed_on(tmp_path):
    with pytest.raises(Exception, match=r"task\.json cannot be read.*\n.*the same command goes on"):
        list(side_by_side("headway.cli._sharded", [str(tmp_path)], [[0, 1]], tmp_path))
