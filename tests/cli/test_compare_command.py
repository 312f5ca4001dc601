"""`headway compare`: the table that is there, what is refused with which code, and its help."""

import json
from pathlib import Path

import pytest

from compared import comparison, some
from little import options, tiny

TINY = {path: value for path, value in tiny("tag").items() if path != "training.steps"}
NEARLY, HALF = {0: some([1]), 1: some([2])}, {0: some(range(20)), 1: some(range(19))}


@pytest.fixture
def finished(tmp_path) -> Path:
    """A comparison that was never trained, in which recurrent is far worse than attention."""
    return comparison(tmp_path / "out", {"attention": NEARLY, "recurrent": HALF})


def test_show_prints_the_table_of_what_is_finished(headway, finished):
    shown = headway("compare", "--show", finished)
    assert shown.code == 0 and shown.err == ""
    rows = [line.split() for line in shown.lines if line.strip()]
    assert rows[0][0] == "accuracy" and ["attention", "97.50%"] in [row[:2] for row in rows]
    assert ["recurrent", "51.25%"] in [row[:2] for row in rows] and ["majority", "25.00%"] in [row[:2] for row in rows]
    assert "It is better than recurrent by 46.25 points: more than chance." in shown.out
    assert f"curves and every pair: {finished / 'compare.html'}" in shown.out


def test_show_as_json_is_everything(headway, finished):
    told = json.loads(headway("compare", "--show", finished, "--json").out)
    assert told["best"] == "attention" and told["pairs"][0]["holds"] and len(told["cells"]) == 4


def test_names_from_data_tell_the_terminal_nothing(headway, tmp_path):
    comparison(tmp_path / "out", {"a\x1b[31m": NEARLY, "b": HALF})
    shown = headway("compare", "--show", tmp_path / "out")
    assert "\x1b" not in shown.out and "a\\x1b[31m" in shown.out


@pytest.mark.parametrize(
    "arguments, told",
    [
        ([], "nothing to compare: give an axis"),
        (["--axis", "model.encoder.layers"], "expected PATH=VALUE,VALUE"),
        (["--axis", "model.encoder.layers=1"], "has one value, and a comparison needs two"),
        (["--axis", "model.encoder.layer=1,2"], "Did you mean model.encoder.layers?"),
        (["--axis", "model.encoder.mixer=attention,convolutoin"], "Did you mean 'convolution'?"),
        (["--axis", "model.encoder.width=16,32"], "is an axis and a setting: leave out --model.encoder.width"),
        (["--axis", "model.encoder.layers=1,2", "--time", "soon"], "--time soon: a time is written 90s, 5m, 1h30m"),
        (["--axis", "model.encoder.layers=1,2", "--time", "5m", "--steps", "3"], "--time and --steps were given"),
        (
            ["--axis", "model.encoder.layers=1,2", "--time", "5m", "--training.epochs", "3"],
            "--training.epochs is anoth",
        ),
    ],
)
def test_what_was_asked_wrongly_is_refused_with_2(arguments, told, headway, runs, tmp_path):
    given = {path: value for path, value in TINY.items() if path != "model.encoder.layers"}
    done = headway("compare", runs.data("tag"), "--out", tmp_path / "out", *arguments, *options(given))
    assert done.code == 2 and told in done.err, done.err


def test_show_goes_with_nothing_else(headway, finished, runs):
    done = headway("compare", runs.data("tag"), "--show", finished)
    assert done.code == 2 and "--show prints a comparison that is there" in done.err


def test_what_is_not_there_has_its_own_code(headway, tmp_path):
    done = headway("compare", "--show", tmp_path / "none")
    assert done.code == 1 and "holds no comparison" in done.err
    axis = ["--axis", "model.encoder.layers=1,2"]
    assert headway("compare", tmp_path / "none.tsv", *axis, "--out", tmp_path / "out").code == 3


def test_help_teaches_with_two_examples(headway):
    shown = " ".join(headway("compare", "--help").out.split())
    assert shown.count("headway compare news --axis") == 2 and "--tune-learning-rate" in shown


@pytest.mark.long
def test_it_trains_prints_progress_and_the_table(headway, runs, tmp_path):
    given = {path: value for path, value in TINY.items() if path != "model.encoder.layers"}
    how = ["--axis", "model.encoder.layers=1,2", "--seeds", 1, "--steps", 8, *options(given)]
    done = headway("compare", runs.data("tag"), "--out", tmp_path / "out", *how)
    assert done.code == 0 and "cell 2 of 2: layers=2-0" in done.err and "The best accuracy has" in done.out
    assert headway("compare", "--show", tmp_path / "out").out == done.out
