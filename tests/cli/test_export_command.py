"""`headway export` as a person meets it."""

import json

import pytest

from headway import load
from headway.export.ctranslate2 import translator
from little import lines

pytest.importorskip("ctranslate2")


def test_a_trained_run_is_exported_checked_and_answers_the_same(headway, runs, tmp_path, monkeypatch):
    monkeypatch.setattr("headway.export.SENTENCES", 50)
    done = headway("export", runs("transduce"), "--to", "ctranslate2", "--out", tmp_path / "fast")
    assert done.code == 0 and "MB for ctranslate2 4." in done.lines[0]
    assert done.lines[1] == "greedy outputs the same as the run's: 100.0% of 50"
    assert done.lines[2].startswith("log probabilities of their tokens: at most ")
    texts = [line.partition("\t")[0] for line in lines("transduce", 20, seed=6)]
    assert translator(tmp_path / "fast").translate(texts) == [a.text for a in load(runs("transduce")).predict(texts)]


def test_the_check_takes_the_data_that_are_given_and_is_told_as_json(headway, runs, tmp_path):
    arguments = ("--to", "ctranslate2", "--quantization", "int8", "--data", runs.data("transduce"), "--json")
    done = headway("export", runs("transduce"), *arguments, "--out", tmp_path / "small")
    told = json.loads(done.out)
    assert done.code == 0 and told["check"]["rows"] == 12 and told["folder"] == str(tmp_path / "small")
    assert 0 <= told["check"]["same"] <= 12 and told["bytes"] > 0 and told["package"].startswith("ctranslate2 4.")


@pytest.mark.parametrize(
    "kind, arguments, code, words",
    [
        ("tag", ["--to", "ctranslate2"], 2, "cannot be exported to ctranslate2: CTranslate2 is for runs that write"),
        ("transduce", ["--to", "ctranslat2"], 2, "Did you mean 'ctranslate2'?"),
        ("transduce", ["--to", "ctranslate2", "--quantization", "int3"], 2, "'int3'"),
        ("transduce", ["--to", "ctranslate2", "--data", "none.tsv"], 3, "none.tsv"),
        ("transduce", [], 2, "--to"),
    ],
)
def test_what_is_wrong_is_told_in_words(kind, arguments, code, words, headway, runs, tmp_path):
    done = headway("export", runs(kind), *arguments, "--out", tmp_path / "out")
    assert done.code == code and words in done.err and done.out == "" and not (tmp_path / "out").exists()


def test_what_is_there_is_not_overwritten(headway, runs, tmp_path):
    done = headway("export", runs("transduce"), "--to", "ctranslate2", "--out", tmp_path)
    assert done.code == 2 and f"{tmp_path} exists; choose another --out" in done.err


def test_every_parameter_is_explained_and_the_formats_are_listed(headway):
    shown = headway("export", "--help").out
    assert all(f"--{name}" in shown for name in ("to", "out", "quantization", "data", "json"))
    done = headway("list", "exports")
    assert done.lines[0].startswith("ctranslate2") and any(".quantization" in line for line in done.lines)
