"""Tables by label beside scikit-learn and seqeval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support as seqeval_scores
from sklearn.metrics import precision_recall_fscore_support

from headway.batch import ClassifyAnswer, Example, RegressAnswer, TagAnswer
from headway.metrics._confusion import Matrix
from headway.report.labels import (
    LEVELS,
    capped,
    confusions,
    label_findings,
    label_row,
    marks_spans,
    shades,
    span_rows,
)

LABELS = [*"abcde"]
rows_of_labels = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)


@given(rows_of_labels)
def test_rows_as_scikit_learn_counts_them(pairs: list[tuple[str, str]]):
    examples = [Example("x", right) for right, _ in pairs]
    answers = [ClassifyAnswer((given,), 0.5) for _, given in pairs]
    found = label_findings(examples, answers)
    assert found is not None and found.spans is None and found.labels.rest is None
    names = [row.label for row in found.labels.rows]
    expected = precision_recall_fscore_support(*zip(*pairs), labels=names, zero_division=0)
    got = [[row[place] for row in found.labels.rows] for place in (1, 2, 3, 4)]
    np.testing.assert_allclose(got, expected, atol=1e-12)
    supports = [row.support for row in found.labels.rows]
    assert supports == sorted(supports, reverse=True) and sum(supports) == len(pairs)


MARKS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
sentences = st.lists(
    st.integers(1, 9).flatmap(lambda n: st.tuples(*[st.lists(st.sampled_from(MARKS), min_size=n, max_size=n)] * 2)),
    min_size=1,
    max_size=8,
)


@given(sentences)
def test_spans_as_seqeval_counts_them(pairs: list[tuple[list[str], list[str]]]):
    rows = sorted(span_rows(pairs))
    if rows:
        right, given = [list(r) for r, _ in pairs], [list(g) for _, g in pairs]
        expected = seqeval_scores(right, given, average=None, zero_division=0)
        np.testing.assert_allclose([[row[place] for row in rows] for place in (1, 2, 3, 4)], expected, atol=1e-12)


def test_spans_by_hand():
    rows = span_rows([(("B-PER", "I-PER", "O", "B-LOC"), ("B-PER", "I-PER", "B-LOC", "I-LOC"))])
    assert [(row.label, row.precision, row.recall, row.f1, row.support, row.predicted) for row in rows] == [
        ("LOC", 0.0, 0.0, 0.0, 1, 1),
        ("PER", 1.0, 1.0, 1.0, 1, 1),
    ]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["O", "B-PER", "I-PER"], True),
        (["B-PER", "S-LOC", "E-PER"], True),
        (["O"], False),
        (["n", "v", "B-PER"], False),
        (["I-PER", "O"], False),
        ([], False),
    ],
)
def test_labels_that_mark_spans(labels: list[str], expected: bool):
    assert marks_spans(labels) is expected


def test_spans_are_found_in_answers_of_a_tagger():
    example = Example(("Li", "Wei", "sleeps"), ("B-PER", "I-PER", "O"))
    found = label_findings([example], [TagAnswer(("Li", "Wei", "sleeps"), ("B-PER", "I-PER", "O"))])
    assert found is not None and found.spans is not None
    assert [row.label for row in found.spans.rows] == ["PER"]


def test_nothing_for_other_tasks_and_for_unknown_labels():
    assert label_findings([Example("x", 1.0)], [RegressAnswer(1.0)]) is None
    assert label_findings([Example("x")], [ClassifyAnswer(("a",), 0.5)]) is None
    assert label_findings([], []) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=20))
def test_the_rest_is_counted_together(counts: list[tuple[int, int, int]]):
    made = [(right, right + wrong, right + missed) for right, wrong, missed in counts]
    rows = [label_row(str(number), *row) for number, row in enumerate(made)]
    table = capped(rows, 3)
    assert table.rows == rows[:3] and table.hidden == max(0, len(rows) - 3)
    if table.hidden:
        right, given, true = (sum(column) for column in zip(*made[3:]))
        assert table.rest == label_row("", right, given, true)
    else:
        assert table.rest is None


def test_shades_are_shares_of_a_row():
    counts = np.array([[98, 2, 0], [1, 199, 0], [0, 0, 0], [25, 50, 25]])
    assert shades(counts).tolist() == [[7, 3, 0], [1, 7, 0], [0, 0, 0], [6, 7, 6]]
    assert LEVELS[3] == 0.05


def test_frequent_confusions():
    counts = np.array([[9, 4, 0], [5, 9, 1], [0, 0, 9]])
    assert confusions(Matrix(("a", "b", "c"), counts), 2) == [("b", "a", 5), ("a", "b", 4)]
    assert confusions(Matrix(("a",), np.array([[3]]))) == []
