"""What heads do over many inputs, against heads made by hand and sums written out."""

import numpy as np
import pytest

import headway
from headway.inspection import AttentionMap
from headway.inspection.averages import Head, averaged, sentences
from headway.inspection.averages_page import page, row
from pages import Reader

WORDS = ("a", "b", "a", "c")


def looking(*columns: int, size: int = 4) -> np.ndarray:
    """(T, S) row i looks at one column alone."""
    return np.eye(size)[list(columns)]


def maps(*heads: np.ndarray, asking=WORDS, asked=WORDS) -> AttentionMap:
    return AttentionMap(np.stack(heads)[None].astype(np.float32), asking, asked, (2,), tuple(range(len(heads))))


EVEN = np.full((4, 4), 0.25)


@pytest.mark.parametrize(
    ("columns", "role"),
    [((0, 0, 1, 2), "previous"), ((1, 2, 3, 3), "next"), ((0, 0, 0, 0), "start"), ((0, 1, 2, 3), "itself"),
     ((3, 3, 3, 3), "end"), ((2, 0, 0, 1), "same")],
)  # fmt: skip
def test_a_head_that_does_one_thing_is_found_and_stands_first(columns, role):
    first, *others = averaged("encoder", [maps(EVEN, looking(*columns))])
    assert (first.head, first.role, first.shares[role]) == (1, role, 1.0) and first.entropy == 0
    assert [other.role for other in others] == [None] and others[0].told.endswith("looks everywhere alike")


def test_shares_are_means_over_those_who_have_such_a_place():
    weights = np.random.default_rng(3).dirichlet(np.ones(4), 4)
    (head,) = averaged("encoder", [maps(weights)])
    expected = {
        "itself": weights.diagonal().mean(),
        "previous": np.mean([weights[i, i - 1] for i in (1, 2, 3)]),
        "next": np.mean([weights[i, i + 1] for i in (0, 1, 2)]),
        "start": weights[:, 0].mean(),
        "end": weights[:, 3].mean(),
        "same": (weights[0, 2] + weights[2, 0]) / 2,
    }
    assert head.shares == pytest.approx(expected, abs=1e-6)
    assert head.even == pytest.approx(dict.fromkeys(expected, 0.25))
    assert head.entropy == pytest.approx(-(weights * np.log(weights)).sum(-1).mean() / np.log(4), abs=1e-6)
    assert head.distance == pytest.approx(
        sum(weights[i, j] * abs(i - j) for i in range(4) for j in range(4)) / 4, abs=1e-6
    )


def test_inputs_count_by_their_rows_and_unnormalized_weights_as_shares():
    short = AttentionMap(np.array([[[[3.0, 1.0], [0.0, 0.0]]]], np.float32), ("a", "b"), ("a", "b"), (2,), (0,))
    (head,) = averaged("encoder", [maps(looking(0, 0, 0, 0)), short])
    assert head.shares["start"] == pytest.approx((4 * 1.0 + 0.75 + 0.0) / 6)
    assert head.even["start"] == pytest.approx((4 * 0.25 + 2 * 0.5) / 6)
    empty = AttentionMap(np.zeros((1, 1, 0, 0), np.float32), (), (), (2,), (0,))
    assert averaged("encoder", [empty]) == [] == averaged("encoder", [])


def test_what_may_not_be_looked_at_counts_for_nobody():
    """In a decoder, evenly means among those before."""
    causal = np.tri(4) / np.tri(4).sum(-1, keepdims=True)
    (head,) = averaged("decoder", [maps(causal)])
    assert head.entropy == pytest.approx(1) and "next" not in head.shares
    assert head.shares == pytest.approx(head.even)
    assert head.even["start"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_between_two_sequences_there_are_a_diagonal_and_the_word_that_is_written():
    copied = looking(3, 1, 0, size=4)
    (head,) = averaged("cross", [maps(copied, asking=("c", "b", "<end>"))])
    assert head.shares["same"] == 1.0 and head.role == "same"
    long = AttentionMap(
        np.eye(12, dtype=np.float32)[None, None, ::2], tuple("abcdef"), tuple("ABCDEFGHIJKL"), (0,), (0,)
    )
    (head,) = averaged("cross", [long])
    assert head.role == "diagonal" and head.shares["diagonal"] == 1.0 and "same" not in {head.role}


def test_nodes_have_no_order():
    (head,) = averaged("encoder", [maps(looking(0, 0, 1, 2))], ordered=False)
    assert set(head.shares) == {"itself", "same"} and head.distance is None and row(head)[-1] == ""


def test_heads_are_told_in_words_and_on_a_page():
    heads = averaged("encoder", [maps(EVEN, looking(0, 0, 1, 2))])
    told = sentences(heads)
    assert told[0] == "encoder layer 2 head 1 looks at the previous element: 1.00 (evenly it would be 0.25)"
    assert told[1] == "1 of 2 heads have no one place, 1 look everywhere alike"
    read = Reader(page("run", 1, {"encoder": heads, "cross": []}))
    assert not read.problems and told[0] in read.text and "an explanation" in read.text
    assert isinstance(heads[0], Head) and heads[0].as_json()["role"] == "previous"


def test_a_run_is_averaged_over_its_own_maps(runs):
    run = headway.load(runs("transduce"))
    sources = ["abc", "hgfedcba", "b"]
    for part in ("encoder", "decoder", "cross"):
        expected = averaged(part, run.attention(sources, part=part))
        found = run.averages(sources, part)
        assert [head.told for head in found] == [head.told for head in expected]
        for one, other in zip(found, expected, strict=True):
            assert one.shares == pytest.approx(other.shares, abs=1e-5)
