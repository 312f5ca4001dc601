"""`headway evaluate`: the metrics come last, a name and a value a line, or as one JSON object."""

import json

import pytest

import headway as library
from little import lines, options, tiny, write


@pytest.mark.parametrize(
    "kind, names",
    [
        ("tag", ["accuracy"]),
        ("classify", ["accuracy", "macro_f1"]),
        ("regress", ["rmse", "mae", "r2"]),
        ("transduce", ["character_error_rate", "exact_match"]),
    ],
)
def test_the_metrics_come_last_a_name_and_a_value_a_line(kind, names, headway, runs):
    done = headway("evaluate", runs(kind), runs.data(kind))
    told = [line.split() for line in done.lines[-len(names) :]]
    assert done.code == 0 and done.err == "" and sorted(name for name, _ in told) == sorted(names)
    kept = json.loads((runs(kind) / "results.json").read_text())
    assert {name: float(value) for name, value in told} == pytest.approx(kept["metrics"]["test"], rel=1e-5)
    assert done.lines[0] == f"12 examples, {runs.data(kind)}, part test"
    assert [line.strip() for line in done.lines[1 : -len(names)]] == list(kept["signatures"].values())


def test_another_part(headway, runs):
    kept = json.loads((runs("tag") / "results.json").read_text())["metrics"]
    valid = headway("evaluate", runs("tag"), runs.data("tag"), "--part", "valid")
    assert float(valid.lines[-1].split()[1]) == pytest.approx(kept["valid"]["accuracy"], rel=1e-5)
    assert "40 examples" in headway("evaluate", runs("tag"), runs.data("tag"), "--part", "train").lines[0]


def test_json_is_one_object(headway, runs):
    told = json.loads(headway("evaluate", runs("tag"), runs.data("tag"), "--json").out)
    kept = json.loads((runs("tag") / "results.json").read_text())
    assert told == {
        "part": "test", "examples": 12, "metrics": kept["metrics"]["test"], "signatures": kept["signatures"]
    }  # fmt: skip


def test_one_file_is_taken_whole(headway, runs, tmp_path):
    file = write(tmp_path / "more.slash", lines("tag", 23, seed=7))
    done = headway("evaluate", runs("tag"), file)
    assert done.lines[0] == f"23 examples, {file}"
    tagger, right, total = library.load(runs("tag")), 0, 0
    for row in lines("tag", 23, seed=7):
        pairs = [token.split("/") for token in row.split()]
        answer = tagger.predict([tuple(word for word, _ in pairs)])[0]
        right += sum(a == b for a, (_, b) in zip(answer.labels, pairs, strict=True))
        total += len(pairs)
    assert float(done.lines[-1].split()[1]) == pytest.approx(right / total, rel=1e-5)


def test_several_references_of_a_source_are_one_example(headway, runs, tmp_path):
    file = write(tmp_path / "more.tsv", ["abc\tzzz", "abc\tyyy", "de\ted"])
    done = headway("evaluate", runs("transduce"), file, "--json")
    assert json.loads(done.out)["examples"] == 2


def test_a_beam_and_an_ensemble_are_measured(headway, runs):
    greedy = headway("evaluate", runs("transduce"), runs.data("transduce"), "--mode", "greedy")
    assert greedy.out == headway("evaluate", runs("transduce"), runs.data("transduce")).out
    narrow = headway("evaluate", runs("transduce"), runs.data("transduce"), "--mode", "beam", "--beam", 1)
    assert narrow.lines[-1] == greedy.lines[-1]
    one, other = runs("classify"), runs("classify", seed=1)
    both = headway("evaluate", one, runs.data("classify"), "--with", other, "--json")
    expected, _ = library.evaluate(library.load(one, other), runs.data("classify"))
    assert json.loads(both.out)["metrics"] == expected


@pytest.mark.parametrize(
    "arguments, code, words",
    [
        (["--part", "tset"], 2, '"tset"'),
        (["--mode", "beam"], 2, "no mode called 'beam'; there are: auto, direct."),
        (["--prt", "test"], 2, "--prt. Did you mean --part?"),
        (["--with", "none"], 1, "none is no run folder: there is no such folder"),
    ],
)
def test_a_wrong_question_is_told_in_words(arguments, code, words, headway, runs):
    done = headway("evaluate", runs("tag"), runs.data("tag"), *arguments)
    assert done.code == code and words in done.err


def test_a_part_that_is_not_there(headway, runs, tmp_path):
    write(tmp_path / "train.slash", lines("tag", 40))
    write(tmp_path / "valid.slash", lines("tag", 12, seed=1))
    done = headway("evaluate", runs("tag"), tmp_path)
    assert done.code == 2 and f"there is no test part: the folder {tmp_path} holds train.slash, valid.slash" in done.err


def test_data_without_targets_cannot_be_measured(headway, runs, tmp_path):
    file = write(tmp_path / "alone.txt", ["ant bee", "cat"])
    done = headway("evaluate", runs("tag"), file)
    assert done.code == 3 and f"{file}:1: there is no target, and tag needs one" in done.err


def test_a_run_without_a_test_part_is_trained_and_measured_on_valid(headway, tmp_path, monkeypatch):
    monkeypatch.setattr("headway.outcome.write_report", lambda *_: None)
    monkeypatch.setattr("headway.outcome.baselines_for", lambda *_, **__: [])
    write(tmp_path / "data" / "train.slash", lines("tag", 40))
    write(tmp_path / "data" / "valid.slash", lines("tag", 12, seed=1))
    asked = options(tiny("tag", {"training.steps": 2}))
    done = headway("train", tmp_path / "data", "--out", tmp_path / "run", *asked)
    assert done.code == 0 and "valid part" in done.out and "test part" not in done.out


@pytest.mark.long
def test_every_mode_can_be_measured(headway, runs):
    def told(*how: str) -> dict[str, float]:
        done = headway("evaluate", runs("joint"), runs.data("transduce"), "--json", *how)
        assert done.code == 0
        return json.loads(done.out)["metrics"]

    assert told("--mode", "verify") == told("--mode", "greedy") == told()
    assert told("--mode", "nat").keys() == told("--mode", "rerank", "--candidates", "3").keys() == told().keys()
    drawn = ("--mode", "sample", "--temperature", "2", "--sampling-seed", "1")
    assert told(*drawn) == told(*drawn)
    wrong = headway("evaluate", runs("joint"), runs.data("transduce"), "--mode", "greedy", "--top-k", "3")
    assert wrong.code == 2 and "top-k is of mode sample, and this is mode greedy: add --mode sample" in wrong.err
