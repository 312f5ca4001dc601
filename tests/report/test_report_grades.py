"""Single answers, graded; groups of them give what the metric gives."""

import itertools
from functools import cache

import numpy as np
import pytest
from findings_for import METRICS as OF
from findings_for import TASKS, pairs
from hypothesis import given
from hypothesis import strategies as st

from headway.batch import ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
from headway.metrics import METRICS
from headway.report import grades as room
from headway.report.grades import buckets, distance, grades, nearest, wrong_elements
from headway.report.units import language_of, length, shown, unit_of


def brute_distance(a: str, b: str) -> int:
    @cache
    def between(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(between(i - 1, j) + 1, between(i, j - 1) + 1, between(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return between(len(a), len(b))


@given(st.text("abc", max_size=14), st.text("abc", max_size=14))
def test_distance_as_the_definition_has_it(a: str, b: str):
    assert distance(a, b) == distance(b, a) == brute_distance(a, b)


@pytest.mark.parametrize(
    ("a", "b", "edits"),
    [
        ("kitten", "sitting", 3),
        ("", "abc", 3),
        ("abc", "", 3),
        ("", "", 0),
        ("北京", "南京", 1),
        ("a" * 200, "b" * 199, 200),
    ],
)
def test_distance_by_hand(a: str, b: str, edits: int):
    assert distance(a, b) == distance([*a], [*b]) == edits


def test_the_nearest_of_several_right_texts():
    example = Example("x", "a b c d", others=("a b", "a b c"))
    assert nearest(example, "a b x", "words") == (1, 3, 3)
    assert nearest(example, "", "words") == (2, 2, 0)


@pytest.mark.parametrize(
    ("task", "metric"),
    [("tag", "accuracy"), ("classify", "accuracy"), ("regress", "mae"), ("transduce", "phone_error_rate")],
)
def test_all_together_are_the_metric(task: str, metric: str):
    examples, answers = pairs(task, 200)
    found, measured = grades(examples, answers, OF[task]), METRICS.part(metric)()
    measured.add(answers, examples)
    assert found is not None and found.every == 1
    assert found.scores[0].of() == pytest.approx(measured.value())
    assert found.scores[0].higher_is_better == measured.higher_is_better
    halves = [np.arange(0, 200, 2), np.arange(1, 200, 2)]
    weights = [found.scores[0].weights[rows].sum() for rows in halves]
    assert np.average([found.scores[0].of(rows) for rows in halves], weights=weights) == pytest.approx(measured.value())


def test_sequences_have_exact_match_or_chrf():
    examples = [Example("x", "ein Hund"), Example("y", "eine Katze", others=("die Katze",))]
    answers = [TransduceAnswer("ein Hund"), TransduceAnswer("die Katze")]
    assert [score.name for score in grades(examples, answers, ["character_error_rate"]).scores] == [
        *("character error rate", "exact match")
    ]
    found = grades(examples, answers, ["bleu"])
    assert [score.name for score in found.scores] == ["chrF", "word error rate"]
    assert found.scores[0].of() == pytest.approx(100) and found.badness.tolist() == [0, 0]


def test_badness_orders_mistakes():
    tags = [TagAnswer(("x",) * 4, labels) for labels in (tuple("aaaa"), tuple("abbb"), tuple("aabb"))]
    examples = [Example(("x",) * 4, tuple("aaaa"))] * 3
    assert np.argsort(-grades(examples, tags).badness).tolist() == [1, 2, 0]
    answers = [ClassifyAnswer(("a",), 0.9), ClassifyAnswer(("b",), 0.6), ClassifyAnswer(("b",), 0.99)]
    assert grades([Example("x", "a")] * 3, answers).badness.tolist() == [0, 0.6, 0.99]
    numbers = [RegressAnswer(value) for value in (1.0, -3.0, 2.5)]
    assert grades([Example("x", 1.0)] * 3, numbers).badness.tolist() == [0, 4, 1.5]
    texts = [TransduceAnswer(text) for text in ("a b c", "a b x", "x y z", "x y z w v")]
    assert np.argsort(-grades([Example("s", "a b c")] * 4, texts).badness).tolist() == [3, 2, 1, 0]


def test_a_label_without_an_answer_is_wrong():
    example = Example(("a", "b", "c"), ("x", "y", None))
    assert wrong_elements(example, TagAnswer(("a", "b", "c"), ("x",))) == [1, 2]


def test_several_labels_are_a_set():
    found = grades([Example("x", ("a", "b"))], [ClassifyAnswer(("b", "a"), 0.7)])
    assert found is not None and found.scores[0].of() == 1.0


def test_unknown_targets_are_left_out_and_nothing_is_nothing():
    assert grades([], []) is None and grades([Example("x")], [RegressAnswer(1.0)]) is None
    found = grades([Example("x"), Example("y", 2.0)], [RegressAnswer(1.0), RegressAnswer(2.0)])
    assert found is not None and len(found.examples) == 1


def test_too_many_sequences_are_taken_evenly(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(room, "WORK", 100)
    examples, answers = pairs("transduce", 90)
    found = grades(examples, answers, ["phone_error_rate"])
    assert found is not None and found.every > 1 and found.examples == examples[:: found.every]


# ---------------------------------------------------------------------------------------------------------- lengths


@given(st.lists(st.integers(0, 30), min_size=1, max_size=200), st.integers(1, 9))
def test_groups_part_all_rows_and_never_one_length(lengths: list[int], most: int):
    found = buckets(np.array(lengths), most)
    assert 1 <= len(found) <= most
    assert sorted(row for group in found for row in group.rows.tolist()) == list(range(len(lengths)))
    for group in found:
        assert {group.first, group.last} <= {lengths[row] for row in group.rows}
        assert all(group.first <= lengths[row] <= group.last for row in group.rows)
    assert all(a.last < b.first for a, b in itertools.pairwise(found))


def test_groups_are_of_like_size():
    sizes = [len(group.rows) for group in buckets(np.arange(800))]
    assert sizes == [100] * 8
    assert [(g.first, g.last, len(g.rows)) for g in buckets(np.array([1] * 50 + [2, 3, 4, 5] * 10), 5)] == [
        *((1, 1, 50), (2, 2, 10), (3, 3, 10), (4, 4, 10), (5, 5, 10))
    ]


@pytest.mark.parametrize(
    ("values", "unit", "long"),
    [
        (["the cat sat", "a mat"], "words", 3),
        (["这家酒店很好", "不好 不好"], "characters", 6),
        (["北京欢迎你们大家来这里参观访问 还有其他地方", "我们明天去看电影然后吃饭 好吗"], "characters", 22),
        (["hello", "world"], "characters", 5),
        ([("a", "b", "c"), ("d",)], "elements", 3),
    ],
)
def test_units(values: list, unit: str, long: int):
    assert unit_of(values) == unit and length(values[0], unit_of(values)) == long


def test_what_has_no_parts_is_one_long():
    assert length(3.5, "elements") == 1 and shown(3.5) == "3.5" and shown(("a", "b")) == "a b"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("北京大学", "zh"),
        ("これは日本語です", "ja"),
        ("한국어", "ko"),
        ("plain English", ""),
        ("", ""),
        ("C 大 plain English text", ""),
    ],
)
def test_languages(text: str, language: str):
    assert language_of([text]) == language


def test_every_task_has_a_grader():
    assert len(room.GRADERS) == len(TASKS)
