"""Answers do not depend on who is answered beside: proved on small runs, and seen where it is made to fail."""

import dataclasses

import pytest
import torch

import headway
from headway.batch import ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
from headway.decoders import autoregressive
from headway.errors import Where
from headway.experiment import examples_for
from headway.search import Search
from headway.steadiness import Difference, compared, reservations, steadiness, ways
from headway.tasks import classify, tag
from headway.training.evaluation import answers

LONG = ("classify", "transduce", "joint", "at_once", "several", "regress")


@pytest.mark.parametrize(
    "asked",
    ["tag", *(pytest.param(name, marks=pytest.mark.long) for name in LONG)],
)
def test_no_answer_of_a_run_depends_on_its_neighbours(runs, asked):
    run = headway.load(runs(asked))
    examples = examples_for(run, runs.data("transduce" if asked in ("joint", "at_once") else asked), "test")
    heard: list[str] = []
    found = list(steadiness(run, examples, 9, heard.append))
    assert {one.mode for one in found} == set(run.modes) and len(heard) > len(found)
    assert [one for one in found if not one.holds] == []
    assert all(one.apart < 1e-5 and one.examples == 9 for one in found)
    assert ("verify" in run.modes) == any(one.way == "what greedy writes" for one in found)


def test_every_way_answers_every_example(runs):
    run = headway.load(runs("tag"))
    for count in (1, 2, 5, 40):
        for groups in ways(run, [Example(("ant",) * (n % 4 + 1)) for n in range(count)]).values():
            assert {number for group in groups for number in group} == set(range(count))


def test_what_differs_is_counted_and_the_first_is_named():
    examples = [Example("a", where=Where("f", n)) for n in (1, 2)]

    def told(one, other, unit=1.0):
        return compared("greedy", "batches of 2", examples, [one, one], [one, other], unit)

    tags = TagAnswer(("a",), ("N",), (0.5,))
    found = told(tags, TagAnswer(("a",), ("V",), (0.5,)))
    assert (found.different, found.holds, found.first) == (1, False, Difference(Where("f", 2), "a/N", "a/V"))
    assert told(tags, TagAnswer(("a",), ("N",), (0.5 + 2e-6,))).holds
    far = told(tags, TagAnswer(("a",), ("N",), (0.5001,)))
    assert not far.holds and far.different == 0 and far.apart == pytest.approx(1e-4) and far.first is not None
    label = ClassifyAnswer(("x",), 0.6, {"x": 0.6, "y": 0.4})
    assert told(label, ClassifyAnswer(("x",), 0.6, {"y": 0.4, "x": 0.6})).apart == 0.0
    assert not told(label, ClassifyAnswer(("x",), 0.6, {"x": 0.6, "y": 0.39})).holds
    assert told(RegressAnswer(500.0), RegressAnswer(500.001), unit=1000.0).holds
    assert not told(RegressAnswer(0.5), RegressAnswer(0.501)).holds
    text = TransduceAnswer("ab", ("a", "b"), -40.0)
    assert told(text, TransduceAnswer("ab", ("a", "b"), -40.0001)).holds  # of its size
    assert told(text, TransduceAnswer("ab", ("ab",), -40.0)).different == 1


@pytest.mark.parametrize(
    "mode", ["greedy", *(pytest.param(name, marks=pytest.mark.long) for name in ("beam", "verify"))]
)
def test_close_ties_are_decided_as_they_are_for_a_row_alone(runs, monkeypatch, mode):
    monkeypatch.setattr(autoregressive, "CLOSE", {torch.float32: 1e9})  # every decision is a close one
    run = headway.load(runs("transduce"))
    texts = ["abc", "hgfedc", "ab", "cab", "defgh"]
    together = run.predict(texts, mode=mode, scores=True)
    alone = [run.predict(text, mode=mode, scores=True)[0] for text in texts]
    assert together == alone and [one.score for one in together] == [one.score for one in alone]  # bit by bit


@pytest.mark.parametrize(
    ("asked", "task"), [("tag", tag), ("classify", classify), pytest.param("several", classify, marks=pytest.mark.long)]
)
def test_close_labels_are_decided_as_they_are_for_a_row_alone(runs, monkeypatch, asked, task):
    monkeypatch.setattr(task, "NEAR", 2.0)
    run = headway.load(runs(asked))
    texts = ["ant bee cat good", "dog", "elk fox gnu hen ant bee bad", "fox fox"]
    together = run.predict(texts, scores=True)
    assert together == [run.predict(text, scores=True)[0] for text in texts]


def test_what_is_clear_is_not_answered_twice(runs, monkeypatch):
    run = headway.load(runs("tag"))
    sizes: list[int] = []
    usual = type(run.model).encode
    monkeypatch.setattr(type(run.model), "encode", lambda self, batch: sizes.append(len(batch)) or usual(self, batch))
    run.predict(["ant bee", "cat", "dog elk fox"])
    assert sizes == [3]


def test_a_watched_search_is_told_of_a_row_once(runs, monkeypatch):
    monkeypatch.setattr(autoregressive, "CLOSE", {torch.float32: 1e9})
    run = headway.load(runs("transduce"))
    heard: list[int] = []
    examples = [Example("abc"), Example("hgf")]
    from headway.data.encoding import encode

    encoded = encode(examples, run.codecs, run.run.data, with_targets=False)
    search = dataclasses.replace(
        Search("greedy", limit=5), watch=lambda written: heard.extend(row for row, _ in written())
    )
    answers(run.model, run.codecs, encoded, examples, search, 999, run.device)
    assert all(heard.count(row) <= 5 for row in (0, 1))


def test_what_breaks_it_is_said(runs, monkeypatch):
    run = headway.load(runs("tag"))
    assert reservations(run) == []
    monkeypatch.setattr(run, "device", torch.device("cuda"))
    monkeypatch.setattr(run, "machine", run.machine.replace(precision="bfloat16"))
    assert len(reservations(run)) == 2 and "machine.deterministic" in reservations(run)[0]
