"""What every file in the room of metrics promises."""

import math
import sys

import pytest

from headway.batch import Answer, ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
from headway.errors import MissingPackage, UsageError
from headway.metrics import METRICS, Metric, measures

PERFECT: dict[str, list[tuple[Answer, Example]]] = {
    "tag": [
        (TagAnswer(("Ann", "sees", "Bob"), ("B-PER", "O", "B-PER")), Example("Ann sees Bob", ("B-PER", "O", "B-PER"))),
        (TagAnswer(("New", "York"), ("B-LOC", "I-LOC")), Example("New York", ("B-LOC", "I-LOC"))),
    ],
    "classify": [
        (ClassifyAnswer(("good",), 0.9), Example("well done", "good")),
        (ClassifyAnswer(("bad", "long"), 0.8), Example("never again", ("long", "bad"))),
    ],
    "regress": [(RegressAnswer(2.5), Example("C", 2.5)), (RegressAnswer(-1.0), Example("CC", -1.0))],
    "transduce": [
        (TransduceAnswer("the cat sat on the mat"), Example("x", "the cat sat on the mat")),
        (TransduceAnswer("a dog is here today"), Example("y", "one dog is here", others=("a dog is here today",))),
    ],
}
"""Answers that cannot be better, by the task that gives them."""

WRONG: dict[str, list[tuple[Answer, Example]]] = {
    "tag": [(TagAnswer(("a", "b"), ("B-X", "B-X")), Example("a b", ("O", "B-Y")))],
    "classify": [(ClassifyAnswer(("p",), 0.9), Example("a", "q"))],
    "regress": [(RegressAnswer(9.0), Example("a", 1.0)), (RegressAnswer(1.0), Example("b", 9.0))],
    "transduce": [(TransduceAnswer("qqq zzz"), Example("a", "the cat sat on the mat"))],
}

NAMES = METRICS.names()


def tasks_of(name: str) -> list[str]:
    """The tasks whose answers a metric takes."""
    taken = []
    for task, pairs in PERFECT.items():
        try:
            METRICS.part(name)().add(*zip(*pairs))
        except UsageError:
            continue
        taken.append(task)
    return taken


def value_of(name: str, pairs: list[tuple[Answer, Example]]) -> float:
    metric = METRICS.part(name)()
    metric.add([answer for answer, _ in pairs], [example for _, example in pairs])
    return metric.value()


def test_the_room_holds_what_the_tasks_ask_for():
    assert {
        *("accuracy", "macro_f1", "micro_f1", "span_f1", "exact_match", "sequence_error_rate", "word_error_rate"),
        *("character_error_rate", "phone_error_rate", "bleu", "chrf", "mae", "rmse", "r2"),
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_file_defines_one_documented_metric(name: str):
    part = METRICS.part(name)
    assert issubclass(part, Metric)
    assert len(part.__doc__ or "") > 40
    assert isinstance(part.higher_is_better, bool) and isinstance(part.percent, bool)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_added_is_not_a_number(name: str):
    metric = METRICS.part(name)()
    assert math.isnan(metric.value())
    metric.add([], [])
    assert math.isnan(metric.value())
    assert metric.signature()


@pytest.mark.parametrize("name", NAMES)
def test_perfect_answers_give_the_best_value_and_wrong_ones_a_worse(name: str):
    tasks = tasks_of(name)
    assert tasks
    for task in tasks:
        perfect, wrong = value_of(name, PERFECT[task]), value_of(name, WRONG[task])
        part = METRICS.part(name)
        best = (100.0 if name in ("bleu", "chrf") else 1.0) if part.higher_is_better else 0.0
        assert perfect == pytest.approx(best)
        assert (wrong < perfect) if part.higher_is_better else (wrong > perfect)


@pytest.mark.parametrize("name", NAMES)
def test_adding_in_pieces_is_adding_at_once(name: str):
    for task in tasks_of(name):
        pairs = PERFECT[task] + WRONG[task] + PERFECT[task][:1]
        metric = METRICS.part(name)()
        for answer, example in pairs:
            metric.add([answer], [example])
            metric.value(), metric.signature()  # looking does not change what follows
        assert metric.value() == pytest.approx(value_of(name, pairs), abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_examples_without_a_target_are_left_out(name: str):
    for task in tasks_of(name):
        pairs = PERFECT[task] + WRONG[task]
        nothing_known = [(answer, Example(example.source)) for answer, example in pairs]
        assert value_of(name, pairs + nothing_known) == value_of(name, pairs)
        assert math.isnan(value_of(name, nothing_known))


@pytest.mark.parametrize("name", NAMES)
def test_the_signature_names_scorer_and_version(name: str):
    metric = METRICS.part(name)()
    for task in tasks_of(name):
        metric.add(*zip(*PERFECT[task]))
    assert metric.signature().lower().startswith(name[:4])
    assert "version:" in metric.signature()
    assert "\n" not in metric.signature()


@pytest.mark.parametrize("name", NAMES)
def test_as_many_answers_as_examples(name: str):
    task = tasks_of(name)[0]
    with pytest.raises(ValueError):
        METRICS.part(name)().add([PERFECT[task][0][0]], [])


def test_answers_of_another_task_are_refused_in_words():
    with pytest.raises(UsageError) as caught:
        METRICS.part("bleu")().add([RegressAnswer(1.0)], [Example("a", 1.0)])
    assert str(caught.value) == (
        "the metric bleu measures transduce, and was given answers of regress; choose others with --model.task.metrics"
    )
    with pytest.raises(UsageError, match="accuracy measures tag and classify, and was given answers of tran"):
        METRICS.part("accuracy")().add([TransduceAnswer("a")], [Example("a", "a")])


def test_a_metric_that_is_not_there_is_named_with_its_neighbours():
    with pytest.raises(
        UsageError, match=r"no metric called 'blue'; there are: accuracy, bleu, .* Did you mean 'bleu'\?"
    ):
        measures(["blue"])


@pytest.mark.parametrize(
    ("name", "package"),
    [("bleu", "sacrebleu"), ("chrf", "sacrebleu"), *((f"{unit}_error_rate", "jiwer") for unit in ("word", "phone"))],
)
def test_a_missing_package_comes_with_the_line_that_installs_it(name: str, package: str, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackage) as caught:
        measures([name])
    assert str(caught.value) == (
        f"the metric {name} needs the package {package}, which is not installed.\n"
        f"  pip install 'headway[metrics]'    (or: pip install {package})"
    )


def test_metrics_of_our_own_need_no_package(monkeypatch):
    for package in ("sacrebleu", "jiwer", "rapidfuzz", "sklearn", "seqeval"):
        monkeypatch.setitem(sys.modules, package, None)
    measures(["accuracy", "macro_f1", "micro_f1", "span_f1", "exact_match", "sequence_error_rate", "mae", "rmse", "r2"])
