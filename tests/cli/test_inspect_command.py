"""`headway inspect`: what is printed, what is written, what is complained about."""

import json

import pytest

from headway.inspection import View


def test_a_text_and_an_example_of_a_file(headway, runs, tmp_path):
    printed = headway("inspect", runs("tag"), "--text", "ant bee cat")
    assert printed.code == 0 and printed.lines[:2] == ["ant bee cat", "→ ant/A bee/B cat/C"]
    assert "encoder, layer 0, mean of 2 heads: the input looks at itself" in printed.lines
    assert "not an explanation" in printed.out
    file = tmp_path / "some.tsv"
    file.write_text("abc\tcba\nhgf\tfgh\n")
    printed = headway("inspect", runs("transduce"), file, "--number", 2, "--kind", "decoder", "--head", 1)
    assert printed.code == 0 and printed.lines[0] == "hgf" and "how it was decided" in printed.lines
    assert "decoder, layer 0, head 1: what is written looks at what was written" in printed.lines


def test_a_page_and_json(headway, runs, tmp_path):
    page, run = tmp_path / "a.html", runs("transduce")
    printed = headway("inspect", run, "--text", "abc", "--html", page)
    assert printed.code == 0 and f"written: {page}" in printed.out
    printed = headway("inspect", run, "--text", "abc", "--json")
    assert View.read(json.loads(printed.out)).html() == page.read_text(encoding="utf-8")


@pytest.mark.long
def test_attributions_of_chosen_outputs(headway, runs):
    pytest.importorskip("captum")
    asked = ("inspect", runs("tag"), "--text", "ant bee cat", "--json")
    every, some = (
        View.read(json.loads(headway(*asked, "--attributions", *chosen).out)).attributions
        for chosen in ((), ("--output", 2, "--output", 0))
    )
    assert [one.of for one in some] == [every[2].of, every[0].of] and len(every) == 3
    printed = headway("inspect", runs("tag"), "--text", "ant", "--output", 0)
    assert printed.code == 2 and "--output says which outputs --attributions are of: give both" in printed.err


@pytest.mark.long
def test_a_figure(headway, runs, tmp_path):
    pytest.importorskip("matplotlib")
    figure = tmp_path / "a.svg"
    printed = headway("inspect", runs("tag"), "--text", "ant", "--figure", figure)
    assert printed.code == 0 and "<svg" in figure.read_text()
    printed = headway("inspect", runs("tag"), "--text", "ant", "--figure", tmp_path / "a.doc")
    assert printed.code == 2 and "a figure ends in one of" in printed.err


def test_averages_over_a_data_set(headway, runs, tmp_path):
    page = tmp_path / "heads.html"
    run, data = runs("transduce"), runs.data("transduce")
    printed = headway("inspect", run, data, "--average", "--html", page)
    assert printed.code == 0 and page.is_file()
    assert "cross: what is written looks at the input" in printed.out and "diagonal" in printed.out
    told = json.loads(headway("inspect", run, data, "--average", "--kind", "encoder", "--examples", 3, "--json").out)
    assert told["examples"] == 3 and list(told["heads"]) == ["encoder"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to look at: give a file, or --text"),
        (("a.tsv", "--text", "a"), "give a file, or --text, and not both"),
        (("--text", "ant", "--layer", "9"), "there is no layer 9 in this view: it has 0"),
        (("--text", "ant", "--kind", "cross"), "no part of the model called 'cross'"),
        (("--text", "ant", "--html", "/no/where/a.html"), "there is no folder /no/where"),
        (("--average",), "--average is of a data set"),
    ],
)
def test_complaints_say_what_to_do(headway, runs, arguments, message):
    printed = headway("inspect", runs("tag"), *arguments)
    assert printed.code == 2 and message in printed.err


def test_a_file_that_has_fewer_examples(headway, runs):
    file = next(runs.data("tag").glob("test.*"))
    assert "has fewer examples" in headway("inspect", runs("tag"), file, "--number", 99).err
    assert "--number counts from 1" in headway("inspect", runs("tag"), file, "--number", 0).err
