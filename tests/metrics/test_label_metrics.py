"""Accuracy, macro and micro F1, the table by label and the confusion matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support
from sklearn.preprocessing import MultiLabelBinarizer

from headway.batch import ClassifyAnswer, Example, TagAnswer
from headway.metrics import METRICS
from headway.metrics._confusion import NOTHING, OTHERS, Confusion

LABELS = ("a", "b", "c", "d")
one_label = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=23)
"""(right, given) for each row."""
label_sets = st.lists(st.tuples(*[st.sets(st.sampled_from(LABELS))] * 2), min_size=1, max_size=17)


def classified(name: str, pairs) -> float:
    metric = METRICS.part(name)()
    metric.add(
        [ClassifyAnswer(tuple(sorted(given)), 0.5) for _, given in pairs],
        [Example("", right if isinstance(right, str) else tuple(right)) for right, _ in pairs],
    )
    return metric.value()


def tagged(name: str, right: list, given: list) -> float:
    metric = METRICS.part(name)()
    metric.add([TagAnswer(tuple(given), tuple(given))], [Example("", tuple(right))])
    return metric.value()


def test_accuracy_of_elements():
    # right: N V N D; given: N N N D -> 3 of 4
    assert tagged("accuracy", ["N", "V", "N", "D"], ["N", "N", "N", "D"]) == 3 / 4


def test_elements_without_an_answer_and_unknown_labels_are_wrong():
    # five elements: two right, one whose label nobody knows, two that the cut answer does not reach -> 2 of 5
    assert tagged("accuracy", ["N", "V", None, "D", "N"], ["N", "V", "V"]) == 2 / 5
    # what is answered beyond the end of the truth is not counted
    assert tagged("accuracy", ["N"], ["N", "V", "V"]) == 1


def test_accuracy_of_several_labels_is_of_whole_sets():
    assert classified("accuracy", [({"a", "b"}, {"b", "a"}), ({"a"}, {"a", "b"}), (set(), set())]) == 2 / 3


def test_a_label_and_a_tuple_of_one_are_the_same():
    assert classified("accuracy", [("a", {"a"}), (("a",), {"a"})]) == 1


@given(one_label)
def test_one_label_as_scikit_learn_counts(pairs):
    right, answers = [r for r, _ in pairs], [g for _, g in pairs]
    pairs = [(r, {g}) for r, g in pairs]
    assert classified("accuracy", pairs) == pytest.approx(accuracy_score(right, answers))
    assert classified("macro_f1", pairs) == pytest.approx(f1_score(right, answers, average="macro", zero_division=0))
    assert classified("micro_f1", pairs) == pytest.approx(accuracy_score(right, answers))
    assert tagged("macro_f1", right, answers) == pytest.approx(classified("macro_f1", pairs))


@given(label_sets)
def test_several_labels_as_scikit_learn_counts(pairs):
    occurring = [LABELS.index(label) for label in sorted(set().union(*(right | answer for right, answer in pairs)))]
    table = MultiLabelBinarizer(classes=LABELS)
    right, answers = table.fit_transform([r for r, _ in pairs]), table.transform([g for _, g in pairs])
    assert classified("accuracy", pairs) == pytest.approx(accuracy_score(right, answers))
    for average in ("micro", "macro"):
        expected = f1_score(right, answers, labels=occurring or None, average=average, zero_division=0)
        assert classified(f"{average}_f1", pairs) == pytest.approx(expected)


@given(label_sets)
def test_truth_and_answer_may_change_places(pairs):
    swapped = [(given, right) for right, given in pairs]
    for name in ("accuracy", "micro_f1", "macro_f1"):
        assert classified(name, pairs) == pytest.approx(classified(name, swapped))


def test_macro_f1_by_hand():
    # a: right 1, given 2, true 1 -> 2·1/3;  b: right 1, given 1, true 2 -> 2·1/3;  c: given 1, true 1, right 0 -> 0
    # mean (2/3 + 2/3 + 0) / 3 = 4/9
    assert classified("macro_f1", [("a", {"a"}), ("b", {"b"}), ("b", {"c"}), ("c", {"a"})]) == pytest.approx(4 / 9)


def test_micro_f1_by_hand():
    # right: a once; given 3 labels, true 2 -> 2·1 / (3 + 2)
    assert classified("micro_f1", [({"a", "b"}, {"a"}), (set(), {"c", "d"})]) == pytest.approx(2 / 5)
    assert classified("micro_f1", [(set(), set())]) == 0


@given(one_label)
@settings(max_examples=40)
def test_table_and_matrix_as_scikit_learn_has_them(pairs):
    confusion = Confusion()
    for right, answer in pairs:
        confusion.add(Example("", right), ClassifyAnswer((answer,), 0.5))
    matrix = confusion.matrix()
    right, answers = [r for r, _ in pairs], [g for _, g in pairs]
    if len(matrix.labels) > 1:  # of one label scikit-learn warns
        np.testing.assert_array_equal(matrix.counts, confusion_matrix(right, answers, labels=list(matrix.labels)))
    expected = precision_recall_fscore_support(right, answers, labels=list(matrix.labels), zero_division=0)
    table = confusion.table()
    assert tuple(row.label for row in table) == matrix.labels
    got = np.array([(row.precision, row.recall, row.f1, row.support) for row in table]).T
    np.testing.assert_allclose(got, np.array(expected))
    assert [row.support for row in table] == sorted((row.support for row in table), reverse=True)
    assert sum(row.predicted for row in table) == len(pairs)


def test_table_of_tagged_elements_by_hand():
    confusion = Confusion()
    confusion.add(Example("", ("N", "N", "V", "D")), TagAnswer(("w",) * 3, ("N", "V", "V")))
    confusion.add(Example("", ("N", None)), TagAnswer(("w",) * 3, ("N", "D", "N")))  # the third has no place
    table = {row.label: row for row in confusion.table()}
    # N: true 3, given 2, both right;  V: true 1, given 2
    # D: true once, where nothing was given, and given once, where nothing is known
    assert table["N"][1:] == (1.0, 2 / 3, pytest.approx(0.8), 3, 2)
    assert table["V"][1:] == (0.5, 1.0, pytest.approx(2 / 3), 1, 2)
    assert table["D"][1:] == (0.0, 0.0, 0.0, 1, 1)
    labels, counts = confusion.matrix()
    assert labels == ("N", "D", "V", NOTHING)
    assert counts.tolist() == [[2, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]]


def test_confusion_of_sets():
    confusion = Confusion()
    confusion.add(Example("", ("a", "b")), ClassifyAnswer(("a", "c"), 0.5))  # a is right, c was given for b
    confusion.add(Example("", ("a",)), ClassifyAnswer(("b", "c"), 0.5))  # a was missed, b and c stand for nothing
    labels, counts = confusion.matrix()
    assert labels == ("a", "b", "c", NOTHING)
    assert counts.tolist() == [[1, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0], [0, 1, 1, 0]]


def test_rare_labels_are_shown_together():
    confusion = Confusion()
    for number in range(7):
        for _ in range(7 - number):
            confusion.add(Example("", f"l{number}"), ClassifyAnswer((f"l{number}",), 0.5))
    confusion.add(Example("", "l0"), ClassifyAnswer(("l6",), 0.5))
    labels, counts = confusion.matrix(most=3)
    assert labels == ("l0", "l1", "l2", OTHERS)
    assert counts.tolist() == [[7, 0, 0, 1], [0, 6, 0, 0], [0, 0, 5, 0], [0, 0, 0, 4 + 3 + 2 + 1]]
    assert counts.sum() == confusion.cells.total()


def test_an_empty_confusion():
    assert Confusion().table() == []
    assert Confusion().matrix().counts.shape == (0, 0)
