"""Every rule of a mask against three loops in Python."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from headway.functional.masks import Mask, causal, padding, window


def looped(
    B: int,
    T: int,
    S: int,
    lengths: list[int] | None = None,
    earlier: bool = False,
    reach: int | None = None,
    edges: Tensor | None = None,
    offset: int = 0,
) -> Tensor:
    """(B, T, S) may the position number i + offset of row b look at position j?"""
    table = torch.zeros(B, T, S, dtype=torch.bool)
    for b in range(B):
        for i in range(T):
            for j in range(S):
                place = i + offset
                may = lengths is None or j < lengths[b]
                may = may and (not earlier or j <= place)
                may = may and (reach is None or abs(place - j) <= reach)
                table[b, i, j] = may and (edges is None or bool(edges[b, i, j]))
    return table


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    B, T, S = draw(st.integers(1, 3)), draw(st.integers(1, 7)), draw(st.integers(1, 11))
    edges = None
    if draw(st.booleans()):
        edges = torch.rand(B, T, S, generator=torch.Generator().manual_seed(draw(st.integers(0, 99)))) < 0.6
    return {
        "B": B,
        "T": T,
        "S": S,
        "lengths": draw(st.none() | st.lists(st.integers(0, S), min_size=B, max_size=B)),
        "earlier": draw(st.booleans()),
        "reach": draw(st.none() | st.integers(0, 5)),
        "edges": edges,
        "offset": draw(st.integers(0, 6)),
    }


def made(rule: dict[str, Any]) -> Mask:
    lengths = rule["lengths"]
    keys = None if lengths is None else padding(torch.tensor(lengths), rule["S"])
    return Mask(keys, rule["earlier"], rule["reach"], rule["edges"], rule["offset"])


@given(rules())
def test_all_rules_together_are_three_loops(rule):
    B, T, S = rule["B"], rule["T"], rule["S"]
    expected, mask = looped(**rule), made(rule)
    table = mask.table(T, S)
    if table is None:
        assert expected.all()
    else:
        assert table.dtype == torch.bool and table.shape[1] == 1
        assert table.expand(B, 1, T, S)[:, 0].equal(expected)
    assert mask.has_empty_rows(T, S) == (not expected.any(-1).all())


@given(rules(), st.sampled_from([torch.float32, torch.float64]))
def test_as_a_summand_it_is_zero_or_minus_infinity(rule, dtype):
    B, T, S = rule["B"], rule["T"], rule["S"]
    summand = made(rule).summand(T, S, torch.zeros(1, dtype=dtype))
    expected = torch.zeros(B, T, S, dtype=dtype).masked_fill(~looped(**rule), -torch.inf)
    if summand is None:
        assert not expected.any()
    else:
        assert summand.dtype == dtype
        assert summand.expand(B, 1, T, S)[:, 0].equal(expected)


@pytest.mark.parametrize(("T", "S", "offset"), [(1, 1, 0), (5, 5, 0), (3, 7, 4), (5, 3, 0), (2, 7, 0)])
def test_causal_is_a_loop(T, S, offset):
    assert causal(T, S, offset).equal(looped(1, T, S, earlier=True, offset=offset)[0])


@pytest.mark.parametrize(("T", "S", "reach", "offset"), [(5, 5, 0, 0), (5, 7, 2, 0), (3, 7, 1, 4), (2, 3, 9, 0)])
def test_window_is_a_loop(T, S, reach, offset):
    assert window(T, S, reach, offset).equal(looped(1, T, S, reach=reach, offset=offset)[0])


def test_padding_is_a_loop():
    assert padding(torch.tensor([0, 3, 5]), 5).equal(looped(3, 1, 5, lengths=[0, 3, 5])[:, 0])


def test_a_causal_mask_written_out():
    assert causal(3, 3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal(2, 4, offset=2).tolist() == [[True, True, True, False], [True, True, True, True]]


def test_a_window_written_out():
    assert window(3, 4, 1).tolist() == [
        [True, True, False, False],
        [True, True, True, False],
        [False, True, True, True],
    ]


@given(rules(), st.integers(1, 6))
def test_asking_step_by_step_is_asking_at_once(rule, size):
    """The rows of a table are those of the smaller tables that a cache asks for, each at its offset."""
    T, S = rule["T"], rule["S"]
    whole = looped(**rule)
    for start in range(0, T, size):
        stop = min(T, start + size)
        edges = None if rule["edges"] is None else rule["edges"][:, start:stop]
        step = made({**rule, "edges": edges, "offset": rule["offset"] + start}).table(stop - start, S)
        found = torch.ones(1, dtype=torch.bool) if step is None else step[:, 0]
        assert found.expand(rule["B"], stop - start, S).equal(whole[:, start:stop])


def test_the_newest_position_of_a_causal_sequence_needs_no_table():
    assert Mask(causal=True, offset=6).table(1, 7) is None
    assert Mask(causal=True, offset=5).table(1, 7) is not None
    assert Mask().table(5, 7) is None and Mask().summand(5, 7, torch.zeros(1)) is None
    assert not Mask().has_empty_rows(5, 7)


def test_empty_rows_are_found_only_where_they_are():
    keys = padding(torch.tensor([3, 0]), 5)
    assert Mask(keys).has_empty_rows(4, 5)
    assert not Mask(keys[:1]).has_empty_rows(4, 5)
    assert Mask(keys[:1], reach=1).has_empty_rows(5, 5)  # the last position reaches 3 and 4, both padding
    assert not Mask(keys[:1], reach=2).has_empty_rows(5, 5)


def test_a_table_is_made_once_and_not_mixed_with_one_of_another_shape():
    mask = Mask(causal=True)
    table, summand = mask.table(5, 7), mask.summand(5, 7, torch.zeros(1))
    assert mask.table(5, 7) is table
    assert mask.summand(5, 7, torch.ones(2)) is summand
    assert mask.table(7, 5).shape == (1, 1, 7, 5)
    assert mask.summand(5, 7, torch.zeros(1, dtype=torch.float64)).dtype == torch.float64
    assert table.equal(causal(5, 7)[None, None])


def test_a_mask_within_a_reach_is_the_same_mask_with_one_rule_more_made_once():
    keys = padding(torch.tensor([2, 5]), 5)
    mask = Mask(keys, causal=True)
    mask.table(5, 5)
    narrow = mask.within(2)
    assert narrow.table(5, 5).equal(Mask(keys, causal=True, reach=2).table(5, 5))
    assert mask.within(2) is narrow and mask.reach is None
    assert narrow.within(1).reach == 1 and narrow.within(4).reach == 2
