"""`headway check` and the dry run, as a person meets them."""

import json
import shutil

import pytest

import little


def test_a_data_set_is_looked_through(headway, runs):
    printed = headway("check", runs.data("classify"))
    assert printed.code == 0 and "2 labels, share of each part" in printed.out and "lengths" in printed.out
    told = json.loads(headway("check", runs.data("classify"), "--json").out)
    assert told["error"] == 0 and told["verdict"] and told["tables"][0]["rows"]
    assert {finding["check"] for finding in told["findings"]} >= {"lines", "labels", "duplicates", "leakage", "unknown"}


def test_a_leak_is_a_warning_and_a_bad_line_an_error(headway, tmp_path):
    data = little.data("classify", tmp_path / "data")
    shutil.copy(data / "train.tsv", data / "test.tsv")
    printed = headway("check", data)
    assert printed.code == 0 and "warning leakage: 40 of 40 sources of the test part (100.0%)" in printed.out
    assert f"{data / 'test.tsv'}:1 = {data / 'train.tsv'}:1" in printed.out.replace("\n", "")
    assert "look at the warnings" in printed.lines[-1]
    with open(data / "valid.tsv", "ab") as file:
        file.write(b"caf\xe9\tpos\n")
    told = json.loads((printed := headway("check", data, "--json")).out)
    assert printed.code == 1 and told["error"] == 1
    worst = told["findings"][0]
    assert worst["places"][0]["line"] == 13 and worst["places"][0]["file"].endswith("valid.tsv")
    assert "not UTF-8" in worst["places"][0]["shown"] and "on_bad skip" in worst["advice"]
    assert headway("check", data, "--data.on_bad", "skip").code == 0


def test_what_is_asked_of_the_wrong_thing_is_said(headway, runs, tmp_path):
    assert "name a data set behind it" in headway("check", runs("tag")).err
    assert "keeps its own" in headway("check", runs("tag"), runs.data("tag"), "--data.task", "tag").err
    assert "--examples must be at least 1" in headway("check", runs("tag"), runs.data("tag"), "--examples", "0").err
    assert "looked through as a whole" in headway("check", runs.data("tag"), "--examples", "3").err
    assert headway("check", tmp_path / "nothing").code in (2, 3)
    assert headway("check").code == 2


def test_a_run_proves_that_its_answers_hold(headway, runs):
    printed = headway("check", runs("tag"), runs.data("tag"), "--examples", "5")
    assert printed.code == 0 and "no answer depends on who is answered beside it" in printed.lines[-1]
    told = json.loads(headway("check", runs("tag"), runs.data("tag"), "--examples", "3", "--json").out)
    assert told["holds"] and {one["mode"] for one in told["compared"]} == {"direct"}


def test_a_run_whose_answers_do_not_hold_is_code_one(headway, runs, monkeypatch):
    from headway.tasks.tag import Tag

    usual = Tag.answer

    def leaking(self, memory, *more):
        found = usual(self, memory, *more)
        return found if len(found) == 1 else [(labels * 0, chances) for labels, chances in found]

    monkeypatch.setattr(Tag, "answer", leaking)
    printed = headway("check", runs("tag"), runs.data("tag"), "--examples", "5")
    assert printed.code == 1 and "DIFFERENT" in printed.out and "beside" in printed.out
    assert f"{runs.data('tag') / 'test.slash'}:" in printed.out


@pytest.mark.long
def test_a_training_warns_of_a_leak_in_a_line(headway, tmp_path):
    data = little.data("classify", tmp_path / "data")
    shutil.copy(data / "train.tsv", data / "test.tsv")
    hears = little.Hears()
    little.quick(data, tmp_path / "run", settings=little.tiny("classify", {"training.steps": 1}), listener=hears)
    (told,) = [line for line in hears.sentences if line.startswith("check:")]
    assert "40 of 40 sources of the test part" in told and "`headway check` with the same data says more" in hears.text


LONG = [pytest.param(name, marks=pytest.mark.long) for name in ("transduce", "regress")]


@pytest.mark.parametrize("asked", ["tag", *LONG])
def test_a_dry_run_says_what_a_training_takes_and_writes_nothing(headway, runs, tmp_path, monkeypatch, asked):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("headway.rehearsal.SECONDS", 0.1)
    options = little.options(little.tiny(asked, {"training.steps": 40}))
    printed = headway("train", runs.data(asked), "--dry-run", "--json", *options)
    assert printed.code == 0, printed.err
    told = json.loads(printed.out)
    settings = little.tiny(asked, {"training.steps": 1, "training.evaluate_every": 1})
    outcome = little.quick(runs.data(asked), tmp_path / "run", settings=settings)
    assert sum(told["parameters"].values()) == outcome.facts["parameters"]
    assert told["steps"] == 40 and told["evaluations"][0] == 10 and 0 <= told["padding"] < 1
    weights = 4 * outcome.facts["parameters"]
    assert told["memory"]["gradients"] == told["memory"]["average"] == weights
    assert 2 * weights <= told["memory"]["optimizer"] < 2.1 * weights  # AdamW: two numbers for each
    assert told["memory"]["activations"] > 0 and told["update"] > 0 and told["total"] >= 40 * told["update"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.long
def test_a_dry_run_in_words_and_what_it_refuses(headway, runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = list(little.options(little.tiny("classify")))
    printed = headway("train", runs.data("classify"), "--dry-run", *options)
    assert printed.code == 0 and all(word in printed.out for word in ("parameters", "optimizer", "an epoch", "padding"))
    assert headway("train", runs.data("classify"), "--dry-run", "--resume").code == 2
    assert "--out is missing" in headway("train", runs.data("classify")).err
    assert not list(tmp_path.iterdir())
