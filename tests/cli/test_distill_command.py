"""`headway distill`: what it writes, what it prints, what it says while it works, and what it refuses."""

import json
import re

import pytest
from rich.console import Console

from headway.cli._distilling import Lines, told
from headway.lab.distillation import Distilled


def test_it_prints_what_was_written_and_what_to_do_next(headway, runs, tmp_path):
    run, data, out = runs("transduce"), runs.data("transduce"), tmp_path / "out"
    done = headway("distill", run, data, "--out", out, "--jobs", 1)
    assert done.code == 0
    first, second, third = done.lines
    assert re.fullmatch(
        rf"\d+ targets written by {run} \(greedy\) for 40 sources of 40 examples(; \d+ were .*)?", first
    )
    assert second == f"train.tsv, valid.tsv, test.tsv; where they came from: {out / 'distilled.json'}"
    assert third == f"next: headway train {out} --data.task transduce --out student"
    again = headway("distill", run, data, "--out", out)
    assert again.code == 0 and again.out == done.out and "is finished already: nothing was written" in again.err


def test_json_is_where_it_came_from(headway, runs, tmp_path):
    how = ("--mode", "beam", "--beam", 2, "--length-penalty", 0.5, "--tokens", 40, "--jobs", 1)
    done = headway("distill", runs("transduce"), runs.data("transduce"), "--out", tmp_path / "out", *how, "--json")
    found = json.loads(done.out)
    assert found["out"] == str(tmp_path / "out") and found["counts"]["sources"] == 40
    task = {name: found["task"][name] for name in ("mode", "beam", "length_penalty", "tokens")}
    assert task == {"mode": "beam", "beam": 2, "length_penalty": 0.5, "tokens": 40}
    assert len(found["task"]["checksum"]) == 64 and len(found["task"]["fingerprint"]) == 32
    assert found["seconds"] > 0 and set(found["files"]) == {"train.tsv", "valid.tsv", "test.tsv"}


FACTS = {
    "counts": {"examples": 112_904, "sources": 105_589, "written": 105_580, "empty": 9},
    "task": {"run": "speller", "mode": "greedy"},
    "files": {"train.en": "", "train.de": ""},
    "settings": {"data.source": "en", "data.target": "de"},
}


def test_what_is_told_of_parallel_files_that_were_not_all_written(tmp_path):
    assert told(Distilled(tmp_path, FACTS)) == [
        "105,580 targets written by speller (greedy) for 105,589 sources of 112,904 examples; 9 were left out, because "
        "nothing was written for them",
        f"train.en, train.de; where they came from: {tmp_path / 'distilled.json'}",
        f"next: headway train {tmp_path} --data.source en --data.target de --out student",
    ]


def test_progress_is_a_line_at_most_every_few_seconds(capsys, monkeypatch):
    clock = iter([0.0, 0.0, 5.0, 20.0, 40.0])
    monkeypatch.setattr("headway.cli._distilling.time.monotonic", lambda: next(clock))
    show = Lines(Console(highlight=False))
    for done in (100, 600, 2100, 4100):
        show.counted(done, 4100)
    assert capsys.readouterr().out.splitlines() == [
        "2,100 of 4,100 sources  100 a second, 0:20 left",
        "4,100 of 4,100 sources  100 a second",
    ]


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["--mode", "greddy"], "no mode called 'greddy'"),
        (["--beam", "3"], "beam is of mode beam"),
        (["--jobs", "0"], "--jobs must be at least 1, and is 0"),
        (["--mode", "sample"], "what is drawn at random is no teacher"),
    ],
)
def test_what_was_asked_wrongly_is_refused_with_2(arguments, complaint, headway, runs, tmp_path):
    done = headway("distill", runs("transduce"), runs.data("transduce"), "--out", tmp_path / "out", *arguments)
    assert done.code == 2 and complaint in done.err, done.err


def test_a_run_that_writes_nothing_and_a_folder_that_is_not_ours(headway, runs, tmp_path):
    done = headway("distill", runs("tag"), runs.data("tag"), "--out", tmp_path / "out")
    assert done.code == 2 and "distill needs a run that writes sequences (transduce)" in done.err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter").write_text("x")
    done = headway("distill", runs("transduce"), runs.data("transduce"), "--out", tmp_path / "mine")
    assert done.code == 2 and "headway distill did not make it; choose another --out" in done.err
    assert headway("distill", tmp_path / "none", runs.data("transduce"), "--out", tmp_path / "out").code == 1
    assert headway("distill", runs("transduce"), tmp_path / "none", "--out", tmp_path / "out").code == 3


def test_ctrl_c_keeps_what_is_written(headway, runs, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("headway.lab.distillation.writing.write_piece", interrupted)
    done = headway("distill", runs("transduce"), runs.data("transduce"), "--out", tmp_path / "out", "--jobs", 1)
    assert done.code == 130 and "stopped; what is written is kept, and the same command goes on" in done.err


def test_help_teaches_with_three_examples(headway):
    shown = " ".join(headway("distill", "--help").out.split())
    assert shown.count("headway distill translator pairs") == 2 and "headway train pairs-distilled" in shown
