"""Span F1 beside seqeval, which reads spans as CoNLL's own script does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.metrics.sequence_labeling import get_entities

from headway.batch import Example, TagAnswer
from headway.metrics import METRICS
from headway.metrics.span_f1 import spans

MARKS = ["O", "B", "I", "E", "S", *(f"{mark}-{kind}" for mark in "BIES" for kind in ("PER", "LOC", "A-B"))]
sentence = st.lists(st.sampled_from(MARKS), min_size=1, max_size=13)
pairs_of_sentences = st.lists(
    st.integers(1, 11).flatmap(
        lambda length: st.tuples(*[st.lists(st.sampled_from(MARKS), min_size=length, max_size=length)] * 2)
    ),
    min_size=1,
    max_size=7,
)


def span_f1(right, answers) -> float:
    metric = METRICS.part("span_f1")()
    metric.add([TagAnswer(tuple(a), tuple(a)) for a in answers], [Example("", tuple(r)) for r in right])
    return metric.value()


@given(sentence)
@settings(max_examples=500)
def test_spans_as_seqeval_reads_them(labels):
    assert list(spans(labels)) == get_entities(list(labels))


@given(pairs_of_sentences)
def test_f1_as_seqeval_counts_it(pairs):
    right, answers = [list(r) for r, _ in pairs], [list(a) for _, a in pairs]
    assert span_f1(right, answers) == pytest.approx(f1_score(right, answers, zero_division=0))
    assert span_f1(right, answers) == pytest.approx(span_f1(answers, right))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("B-PER I-PER O B-LOC", [("PER", 0, 1), ("LOC", 3, 3)]),  # IOB2
        ("I-PER I-PER B-PER O", [("PER", 0, 1), ("PER", 2, 2)]),  # IOB1: B only between neighbours of one type
        ("B-PER I-PER E-PER S-LOC", [("PER", 0, 2), ("LOC", 3, 3)]),  # BIOES
        ("O I-PER I-LOC", [("PER", 1, 1), ("LOC", 2, 2)]),  # a changed type begins anew
        ("B I O", [("_", 0, 1)]),  # marks without a type
        ("O O", []),
        ("", []),
    ],
)
def test_dialects(labels: str, expected: list):
    assert list(spans(labels.split())) == expected


def test_by_hand():
    # true: PER 0-1, LOC 3, LOC 5; given: PER 0-1, LOC 3-4, LOC 5 -> two right: 2·2 / (3 + 3)
    right = ["B-PER", "I-PER", "O", "B-LOC", "O", "B-LOC"]
    given = ["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "B-LOC"]
    assert span_f1([right], [given]) == pytest.approx(4 / 6)
    assert span_f1([["O", "O"]], [["O", "O"]]) == 0


def test_elements_without_an_answer_or_a_known_label_are_outside():
    # the answer ends before LOC, and what it gives where nothing is known counts against it: 2·1 / (2 given + 2 true)
    assert span_f1([["B-PER", None, "B-LOC"]], [["B-PER", "B-PER"]]) == pytest.approx(2 / 4)
    assert span_f1([["B-PER"]], [["B-PER", "B-LOC"]]) == 1
