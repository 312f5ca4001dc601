"""Every part of a run switched off in turn: what there is, what is measured, table, page, JSON, complaints."""

import json

import numpy as np
import pytest

import headway
from headway.errors import UsageError
from headway.experiment import examples_for
from headway.lab.knockout import Change, Results, knockout
from headway.lab.knockout.page import page, row
from headway.lab.knockout.targets import targets
from headway.layers.knockout import knocked_out
from headway.metrics import METRICS
from pages import Reader


@pytest.fixture(scope="module")
def tagger(runs):
    return headway.load(runs("tag"))


@pytest.fixture(scope="module")
def items(tagger, runs):
    return examples_for(tagger, runs.data("tag"), "test")


def test_every_part_of_a_run_is_found_once(runs):
    model = headway.load(runs("joint")).model
    names = {what: [target.name for target in targets(model, what, "removed")] for what in ("heads", "feedforward")}
    assert names["heads"] == [f"{p} layer 0 head {h}" for p in ("encoder", "decoder", "cross") for h in (0, 1)]
    assert names["feedforward"] == ["encoder layer 0", "decoder layer 0"]
    assert [t.name for t in targets(model, "layers", "uniform")] == ["encoder layer 0", "decoder layer 0"]
    assert [t.name for t in targets(model, "mixers", "removed")] == [
        "encoder layer 0", "decoder layer 0", "cross layer 0",
    ]  # fmt: skip


def test_changes_are_those_of_answers_without_the_part(tagger, items):
    """Against the same done by hand: the metric itself, and a resample drawn here."""
    found = knockout(tagger, items, "mixers")
    (change,) = found.changes
    block = tagger.model.encoder.blocks[0]
    whole = tagger.predict(items)
    with knocked_out({}, closed=[block.mixed]):
        without = tagger.predict(items)

    def accuracy(answers) -> float:
        metric = METRICS.part("accuracy")()
        metric.add(answers, items)
        return metric.value()

    assert (found.metric, found.whole, change.value) == ("accuracy", accuracy(whole), accuracy(without))
    assert change.change == change.value - found.whole and change.interval[0] <= change.change <= change.interval[1]
    assert change.changed == np.mean([str(a) != str(b) for a, b in zip(whole, without, strict=True)])
    assert tagger.predict(items) == whole and found.examples == len(items)
    assert knockout(tagger, items, "mixers") == found


def results(metric: str = "accuracy") -> Results:
    changes = [
        Change("encoder", 0, 0, 0.9, 0.0, (-0.01, 0.01), 1.0, 0.0),
        Change("encoder", 0, 1, 0.4, -0.5, (-0.6, -0.4), 0.001, 0.7),
        Change("encoder", 1, 0, 0.92, 0.02, (0.0, 0.04), 0.6, 0.1),
        Change("encoder", 1, 1, 0.8, -0.1, (-0.2, 0.0), 0.2, 0.2),
    ]
    return Results("run", "data", "heads", "removed", metric, 0.9, 50, tuple(changes))


def test_what_is_missed_most_comes_first_and_is_told_in_words():
    found = results()
    assert [change.name for change in found.ordered] == [
        "encoder layer 0 head 1", "encoder layer 1 head 1", "encoder layer 0 head 0", "encoder layer 1 head 0",
    ]  # fmt: skip
    first, sure, _ = found.sentences
    assert "accuracy is 90.00% on 50 items; without encoder layer 0 head 1 it is 40.00%" in first
    assert sure == "Missed beyond chance (paired bootstrap, Holm, 5 %): 1 of 4 parts."
    assert row(found, found.ordered[0])[2:] == ["−50.00%", "−60.00% … −40.00%", "70.0%", "beyond chance"]
    ((part, values, rows, columns),) = found.grids()
    assert part == "encoder" and rows == ["0", "1"] and columns == ["0", "1"]
    assert np.allclose(values, [[0, 0.5], [0, 0.1]])
    worse = results("word_error_rate")
    assert worse.ordered[0].name == "encoder layer 1 head 0" and worse.harm(worse.ordered[0]) == 0.02


def test_the_page_is_whole_and_has_every_part():
    read = Reader(page(results()))
    assert not read.problems and "encoder layer 1 head 1" in read.text and "−60.00% … −40.00%" in read.text
    assert len(read.of("rect")) >= 4 and not read.of("script")


def test_what_cannot_be_switched_off_is_refused_in_words(tagger, items, runs):
    for how, message in [
        ({"what": "head"}, r"no kind of part called 'head'; .*Did you mean 'heads'\?"),
        ({"how": "gone"}, "no way to knock out called 'gone'"),
        ({"what": "feedforward", "how": "uniform"}, "looks at nothing that could be made uniform"),
    ]:
        with pytest.raises(UsageError, match=message):
            knockout(tagger, items, **how)
    with pytest.raises(UsageError, match="the data have no examples"):
        knockout(tagger, [])


def test_the_command_prints_a_table_a_page_and_json(runs, tmp_path, capsys):
    from headway.cli import run

    page = tmp_path / "k.html"
    arguments = ["knockout", str(runs("classify")), str(runs.data("classify")), "--examples", "6"]
    assert run([*arguments, "--html", str(page)]) == 0
    out, err = capsys.readouterr()
    assert "encoder layer 0 head 1" in out and "95 % interval" in out and page.is_file() and "2/2" in err
    assert run([*arguments, "--what", "layers", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["examples"] == 6 and [change["name"] for change in told["changes"]] == ["encoder layer 0"]
    assert run([*arguments[:3], "--examples", "0"]) == 2
    assert "--examples must be at least 1" in capsys.readouterr().err
