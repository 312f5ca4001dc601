"""Looks over HTTP: what the elements added to an output, and one answer for all that is asked about it."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from served import sentence, serving, told

from comparing import close
from headway.predictor import Predictor
from headway.serve.reading import _by_name, checked
from headway.serve.schemas import Options


@pytest.fixture(scope="module")
def server(runs):
    with serving({"joint": runs("joint"), "tagger": runs("tag")}) as made:
        yield made


def same(found, expected):
    """Equal, and numbers up to the order of a sum."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[name], expected[name]) for name in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(same, found, expected))
    return found == pytest.approx(expected, abs=1e-5) if isinstance(expected, float) else found == expected


# -------------------------------------------------------------------------------------------------------- attributions


@pytest.mark.parametrize(
    "model, text, output", [("tagger", "ant bee cat", 1), pytest.param("joint", "abcd", 0, marks=pytest.mark.long)]
)
def test_what_the_elements_added_is_what_python_says(model, text, output, server, runs):
    pytest.importorskip("captum")
    asked = {"model": model, "attention": True, "layers": [0], "heads": [0], "attributions": True}
    (answer,) = server.answers([text], outputs=[output], **asked)
    (found,) = answer["view"]["attributions"]
    every = Predictor(runs("tag" if model == "tagger" else model)).inspect(text, attributions=True).attributions
    assert same(found, json.loads(json.dumps(every[output].as_json())))
    assert found["method"] == "integrated gradients"
    (whole,) = server.answers([text], **asked)
    assert same(whole["view"]["attributions"], [json.loads(json.dumps(one.as_json())) for one in every])


def test_without_being_asked_for_nothing_is_attributed(server):
    (answer,) = server.answers(["ant bee"], model="tagger", attention=True)
    assert answer["view"]["attributions"] == []


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ({"attributions": True}, "no_look", "ask for attention, too"),
        ({"outputs": [0]}, "no_look", "ask for attention, too"),
        ({"attention": True, "outputs": [0]}, "outputs", "ask for attributions, too"),
        ({"attention": True, "attributions": True, "outputs": []}, "schema", "outputs: List should have at least 1"),
        ({"attention": True, "attributions": True, "outputs": [*range(13)]}, "schema", "at most 12 items"),
        ({"attention": True, "attributions": True, "outputs": [-1]}, "schema", "greater than or equal to 0"),
        ({"attention": True, "attributions": True, "stream": True}, "stream_look", "a stream gives no attention"),
    ],
)
def test_what_cannot_be_attributed_is_refused(asked, code, words, server):
    found = told(server.ask(["ant bee"], model="tagger", **asked), 422)
    assert found["code"] == code and words in found["detail"]


def test_one_request_has_one_input_attributed_and_outputs_that_are_there(server):
    pytest.importorskip("captum")
    asked = {"model": "tagger", "attention": True, "attributions": True}
    assert told(server.ask(["ant", "bee"], **asked), 422).items() >= {"code": "attributions", "found": 2}.items()
    assert "no output 2 to explain; there are: 0, 1" in sentence(server.ask(["ant bee"], outputs=[2], **asked), 422)


def test_a_server_that_lacks_captum_says_so(server, monkeypatch):
    given = [model["attributions"] for model in server.http.get("/v1/models").json()["models"]]
    monkeypatch.setattr("headway.serve.describing.find_spec", lambda name: None)
    lacks = [model["attributions"] for model in server.http.get("/v1/models").json()["models"]]
    assert set(given) <= {"given", "package"} and lacks == ["package", "package"]
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    found = told(server.ask(["ant"], model="tagger", attention=True, attributions=True), 501)
    assert found["code"] == "package" and (found["package"], found["extra"]) == ("captum", "explain")
    assert "this server cannot do that: an attribution needs the package captum" in found["detail"]


def test_outputs_of_a_sound_stand_in_the_query():
    given = [("attention", "true"), ("attributions", "true"), ("outputs", "0"), ("outputs", "2")]
    found = checked(Options, _by_name(given))
    assert found.attributions and found.outputs == [0, 2]


class Enough(Exception):
    pass


def test_who_leaves_ends_an_attribution(runs):
    pytest.importorskip("captum")
    calls = []

    def watch(written):
        assert not list(written())
        calls.append(1)
        if len(calls) == 3:
            raise Enough

    looked = Predictor(runs("tag")).look("ant bee cat", watch=watch)
    with pytest.raises(Enough):
        looked.attributions([0])
    assert len(calls) == 3


def test_others_are_answered_in_between_and_change_nothing(server, runs):
    pytest.importorskip("captum")
    asked = {"model": "joint", "attention": True, "layers": [0], "heads": [0], "attributions": True}
    ((looked,), (written,)) = server.answers(["abcdabcd"], **asked), server.answers(["dcba"], model="joint")
    with ThreadPoolExecutor(1) as thread:
        look, between = thread.submit(server.answers, ["abcdabcd"], **asked), 0
        while not look.done():
            assert same(server.answers(["dcba"], model="joint"), [written])
            between += not look.done()
        assert same(look.result(), [looked]) and between > 3


def test_a_long_input_goes_through_the_model_in_smaller_pieces(runs, monkeypatch):
    pytest.importorskip("captum")
    run, rows = Predictor(runs("tag")), []
    (whole,) = run.inspect("ant bee cat", attributions=True, outputs=2).attributions
    forward = run.model.encoder.forward
    monkeypatch.setattr(run.model.encoder, "forward", lambda x, *more: rows.append(len(x)) or forward(x, *more))
    monkeypatch.setattr("headway.inspection.integrated.ELEMENTS", 15)
    (pieces,) = run.inspect("ant bee cat", attributions=True, outputs=2).attributions
    assert max(rows) == 5 and whole.of == pieces.of == "label C of element 3"
    close(np.array(whole.values), np.array(pieces.values), 1e-5)


# ---------------------------------------------------------------------------------------------------------- one answer


def counted(predictor, monkeypatch):
    """How often a model answers from now on."""
    answer, calls = predictor.model.answer, []
    monkeypatch.setattr(predictor.model, "answer", lambda *given: calls.append(1) or answer(*given))
    return calls


@pytest.mark.parametrize("mode", ["auto", "verify", "beam", "sample"])
def test_whoever_looks_and_computes_has_it_written_once(mode, runs, monkeypatch):
    run = Predictor(runs("joint"))
    apart = [run.inspect("abcdef", mode=mode, layers=0, heads=1).as_json()]
    apart += [run.computation("abcdef", part, 0, 1, mode=mode).as_json() for part in ("decoder", "cross")]
    calls = counted(run, monkeypatch)
    looked = run.look("abcdef", mode=mode)
    together = [looked.view(0, 1).as_json()]
    together += [looked.computation(part, 0, 1).as_json() for part in ("decoder", "cross")]
    assert together == apart and len(calls) == 1


def test_the_server_writes_once_what_it_tells_of_a_look(server, runs, monkeypatch):
    calls = counted(server.house.served["joint"].predictor, monkeypatch)
    asked = {"attention": True, "layers": [0], "heads": [1], "computation": "cross", "model": "joint"}
    (answer,) = server.answers(["abcde"], **asked)
    assert len(calls) == 1
    run = Predictor(runs("joint"))
    assert same(answer["view"], json.loads(json.dumps(run.inspect("abcde", layers=0, heads=1).as_json())))
    assert same(answer["computation"], json.loads(json.dumps(run.computation("abcde", "cross", 0, 1).as_json())))
