"""The classical methods beside the model: what every one of them promises, and those of sounds and graphs."""

import random
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from headway.batch import ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
from headway.data.sources._neighbourhoods import LargeGraph, Seed, _Lists
from headway.data.sources.graph import Graph
from headway.data.sources.sound import Sound
from headway.errors import UsageError
from headway.lab.baselines import BASELINES, Baseline, baselines_for
from headway.lab.baselines._spectrum import Softmax
from headway.lab.baselines._subtrees import called
from headway.lab.baselines._text import thinned

# ------------------------------------------------------------------------------------------- what all of them promise

ANSWERS = {"tag": TagAnswer, "classify": ClassifyAnswer, "regress": RegressAnswer, "transduce": TransduceAnswer}
TRAIN = {
    "tag": [
        Example(("the", "Dog", "sees"), ("D", "N", "V")),
        Example(("a", "cat"), ("D", "N")),
        Example(("no",), ("X",)),
    ],
    "classify": [Example("a good film", "good"), Example("a bad film", "bad"), Example("so good", "good")],
    "regress": [Example("CCO", 1.0), Example("CC", 3.0), Example("C", 8.0)],
    "transduce": [Example("cat", "K AE T"), Example("dog", "D AO G"), Example("cats", "K AE T S")],
}
SOURCES = {"tag": [("the", "Zebra"), ()], "classify": ["good", ""], "regress": ["CO", ""], "transduce": ["bats", ""]}
EVERY = [(task, place) for task in TRAIN for place in range(len(baselines_for(task)))]


def test_each_task_has_the_simplest_first():
    named = {task: [baseline.name for baseline in baselines_for(task)] for task in TRAIN}
    assert named == {
        "tag": ["majority", "ngram", "subtree"],
        "classify": ["majority", "neighbours", "ngram", "spectrum", "subtree"],
        "regress": ["mean", "ngram", "spectrum", "subtree"],
        "transduce": ["copy", "ngram", "spectrum"],
    }
    assert baselines_for("dance") == []


def test_a_file_is_called_after_task_and_name():
    for file in BASELINES.names():
        part = BASELINES.part(file)
        assert issubclass(part, Baseline) and part.__doc__
        assert file == f"{part.task}_{part.name}"


def read_by(baseline: Baseline, texts: list[Example]) -> list[Example]:
    """The examples as what a baseline reads: a sound of another length and pitch, or a chain, for every text."""
    if baseline.name == "spectrum":
        return [replace(example, source=beep("".join(example.source))) for example in texts]
    if baseline.name == "subtree":
        return [replace(example, source=chain(example.source)) for example in texts]
    if baseline.name == "neighbours":
        return [replace(example, source=Seed(PAIRS, len(example.source) % 4)) for example in texts]
    return texts


def chain(parts: str | tuple[str, ...]) -> Graph:
    return Graph(parts or ("nothing",), [(i, i + 1) for i in range(len(parts) - 1)])


class Pairs(LargeGraph):
    """Four nodes of a large graph, 0 and 1 joined, and 2 and 3."""

    def __init__(self):
        self.there = _Lists(np.array([[0, 1], [2, 3]]), np.zeros(2, np.int32), 4)
        self.back = _Lists(np.array([[1, 0], [3, 2]]), np.zeros(2, np.int32), 4)


PAIRS = Pairs()
READS = {"spectrum": "sound", "subtree": "graphs", "neighbours": "nodes of a large graph"}


def beep(text: str) -> Sound:
    time = np.arange(1600 + 160 * len(text)) / 8000
    return Sound.of(np.sin(2 * np.pi * (300 + 50 * len(text)) * time).astype(np.float32), 8000)


@pytest.mark.parametrize(("task", "place"), EVERY)
def test_one_answer_of_the_right_kind_for_each_example_and_the_same_every_time(task: str, place: int):
    runs = []
    for _ in range(2):
        baseline = baselines_for(task)[place]
        asked = read_by(baseline, [Example(source) for source in SOURCES[task]])
        train = read_by(baseline, TRAIN[task])
        assert baseline.refuses(train) is None
        baseline.fit([*train, Example("not labelled")])
        runs.append(baseline.predict(asked))
        assert baseline.note and baseline.thinned == ""
        assert baseline.predict([]) == []
        shown = [Example(example.source, TRAIN[task][0].target) for example in asked]
        assert baseline.predict(shown) == runs[-1]  # targets are not looked at
    assert runs[0] == runs[1]
    assert all(isinstance(answer, ANSWERS[task]) for answer in runs[0]) and len(runs[0]) == 2


@pytest.mark.parametrize(("task", "place"), EVERY)
def test_nothing_to_learn_from(task: str, place: int):
    baseline = baselines_for(task)[place]
    if baseline.name == "copy":
        return baseline.fit([])
    with pytest.raises(UsageError, match="a baseline learns from examples with a target, and there are none"):
        baseline.fit([Example("a")])


@pytest.mark.parametrize(("task", "place"), EVERY)
def test_what_is_no_text_is_refused_by_those_that_read(task: str, place: int):
    baseline = baselines_for(task)[place]
    if baseline.name in READS:
        assert baseline.refuses([Example("a text", "a")]) == f"it reads {READS[baseline.name]} only"
        assert baseline.refuses(read_by(baseline, [Example("a", "a")])) is None
        return
    blind = baseline.name in ("majority", "mean") and task != "tag"
    assert baseline.refuses([Example(np.zeros((5, 3)), "a")]) == (None if blind else "it reads text only")
    assert baseline.refuses([Example(("a", "word"), "a")]) is None


@pytest.mark.parametrize(("task", "place"), EVERY)
def test_large_data_are_thinned_and_the_note_says_so(task: str, place: int):
    baseline = baselines_for(task, budget=1e-9)[place]
    train = read_by(baseline, TRAIN[task])
    baseline.fit(train)
    if baseline.name in ("copy", "mean", "neighbours") or (task, baseline.name) == ("classify", "majority"):
        assert baseline.thinned == ""
    else:
        assert baseline.note.endswith("; learned from 1 of 3 examples, evenly spaced, to keep to its time")
    assert len(baseline.predict(train)) == 3


def test_thinning_is_even_and_within_the_cost():
    examples = [Example("x", number) for number in range(100)]
    chosen, sentence = thinned(examples, lambda example: 2.0, 50.0)
    assert [example.target for example in chosen] == list(range(0, 100, 4))
    assert sentence.startswith("learned from 25 of 100 examples")
    assert thinned(examples, lambda example: 2.0, 200.0) == (examples, "")


# ------------------------------------------------------------------------------------------------------------ sound


def test_logistic_regression_on_full_rows_as_scikit_learn_has_it():
    x = np.random.default_rng(1).standard_normal((60, 5))
    labels = (x @ np.random.default_rng(2).standard_normal((5, 3))).argmax(1)
    ours = Softmax(C=0.5, tolerance=1e-7)
    ours.fit(x, np.eye(3)[labels])
    theirs = LogisticRegression(C=0.5, tol=1e-8, max_iter=1000).fit(x, labels)
    assert np.allclose(ours.chances(x), theirs.predict_proba(x), atol=1e-4)


def test_the_nearest_sound_speaks_for_another():
    known = [Example(beep("a" * size), f"t {size}") for size in (1, 5, 9)]
    baseline = next(each for each in baselines_for("transduce") if each.name == "spectrum")
    baseline.fit(known)
    assert [str(answer) for answer in baseline.predict(known)] == ["t 1", "t 5", "t 9"]


# ------------------------------------------------------------------------------------------------------------- graphs


def test_nodes_with_the_same_surroundings_are_called_the_same_however_they_are_numbered():
    """By hand: after two steps a name says what stands up to two edges away, and no more."""
    one = Graph("abcab", [(0, 1, "s"), (1, 2, "s"), (2, 3, "d"), (3, 4, "s")])
    other = Graph("bacba", [(1, 0, "s"), (0, 2, "s"), (2, 4, "d"), (4, 3, "s")])
    place = [1, 0, 2, 4, 3]
    for mine, theirs in zip(called(one), called(other), strict=True):
        assert mine == [theirs[i] for i in place]
    alone, near, far = called(one)
    assert alone[0] == alone[3] and alone[1] == alone[4] and len(set(alone)) == 3
    changed = called(Graph("abcac", [(0, 1, "s"), (1, 2, "s"), (2, 3, "d"), (3, 4, "s")]))
    assert [a == b for a, b in zip(near, changed[1])] == [True, True, True, False, False]
    assert [a == b for a, b in zip(far, changed[2])] == [True, True, False, False, False]


def test_subtrees_find_a_rule_that_hangs_on_edges():
    chance = random.Random(1)

    def drawn(number: int) -> Example:
        pairs = {tuple(sorted(chance.sample(range(6), 2))) for _ in range(number % 7 + 1)}
        return Example(Graph("abcabc", sorted(pairs)), float(len(pairs)))

    train, test = [drawn(number) for number in range(200)], [drawn(number) for number in range(50)]
    for task in ("regress", "classify"):
        baseline = next(each for each in baselines_for(task) if each.name == "subtree")
        known = [replace(e, target=e.target if task == "regress" else str(e.target > 3)) for e in train]
        baseline.fit(known)
        if task == "regress":
            errors = [abs(answer.value - e.target) for answer, e in zip(baseline.predict(test), test)]
            assert np.mean(errors) < 0.5
        else:
            right = [answer.label == str(e.target > 3) for answer, e in zip(baseline.predict(test), test)]
            assert np.mean(right) > 0.85


def test_nodes_get_the_label_that_most_neighbours_have():
    baseline = next(each for each in baselines_for("classify") if each.name == "neighbours")
    baseline.fit([Example(Seed(PAIRS, 0), "red"), Example(Seed(PAIRS, 2), "blue"), Example(Seed(PAIRS, 2), "blue")])
    assert [baseline.predict([Example(Seed(PAIRS, node))])[0].label for node in (1, 3, 0)] == ["red", "blue", "blue"]
