"""`headway lab`: which demonstrations, what is printed, and the exit code."""

import json

import pytest

from headway.lab.demonstrations import DEMONSTRATIONS, convolution, title_of
from pages import Reader


def test_the_list_shows_every_file_with_its_claim_and_runs_nothing(headway, monkeypatch):
    monkeypatch.setattr("headway.lab.demonstrations.demonstrate", lambda *_: pytest.fail("nothing is to be run"))
    done = headway("lab", "--list")
    assert done.code == 0 and [line.split()[0] for line in done.lines] == DEMONSTRATIONS.names()
    assert all(title_of(line.split()[0]) in line for line in done.lines)
    assert [line.split()[0] for line in headway("list", "demonstrations").lines] == DEMONSTRATIONS.names()


def test_what_is_named_is_run_in_that_order(headway):
    done = headway("lab", "multi_head", "matrix_form", "multi_head")
    assert done.code == 0 and done.out.index("multi_head\n") < done.out.index("matrix_form\n")
    passed = done.out.count("PASS ")
    assert done.out.count("multi_head\n") == 1 and f"{passed} of {passed} claims hold" in done.out


def test_a_claim_that_fails_is_shown_and_is_the_exit_code(headway, monkeypatch, tmp_path):
    monkeypatch.setattr(convolution, "SHARP", 1.0)
    done = headway("lab", "convolution", "--html", tmp_path / "lab.html")
    assert done.code == 1 and "FAIL" in done.out and "not those of convolution" in done.out
    read = Reader((tmp_path / "lab.html").read_text())
    assert read.problems == [] and "fails" in read.text and "do not hold" in read.text


def test_a_name_there_is_not_names_the_nearest_before_anything_runs(headway, monkeypatch):
    monkeypatch.setattr("headway.lab.demonstrations.demonstrate", lambda *_: pytest.fail("nothing is to be run"))
    done = headway("lab", "order", "convolutoin")
    assert done.code == 2 and "no demonstration called 'convolutoin'" in done.err
    assert "Did you mean 'convolution'?" in done.err


def test_claims_as_json(headway):
    done = headway("lab", "multi_head", "--json")
    told = json.loads(done.out)["multi_head"]
    assert done.code == 0 and all(one["holds"] for one in told)
    assert told[0]["at_most"] == 1e-12 and told[0]["value"] < 1e-12 and told[-1]["at_least"] > 0


def test_a_page_that_cannot_be_written_is_said_before_anything_runs(headway, tmp_path, monkeypatch):
    monkeypatch.setattr("headway.lab.demonstrations.demonstrate", lambda *_: pytest.fail("nothing is to be run"))
    done = headway("lab", "multi_head", "--html", tmp_path / "none" / "lab.html")
    assert done.code == 2 and f"there is no folder {tmp_path / 'none'}" in done.err


def test_the_words_of_a_run_of_ones_own(headway, runs):
    done = headway("lab", "vectors", "--run", runs("tag"))
    assert done.code in (0, 1) and "elements of the run" in done.out and "gnu" in done.out
    assert "one-hot: largest distance minus smallest" in done.out


def test_a_run_is_refused_where_no_demonstration_would_look_at_it(headway, runs, tmp_path):
    done = headway("lab", "mask", "order", "--run", runs("tag"))
    assert done.code == 2 and "--run is for vectors, and only mask, order would run" in done.err
    done = headway("lab", "vectors", "--run", tmp_path / "none")
    assert done.code == 1 and "is no run folder" in done.err
