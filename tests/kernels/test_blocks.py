"""The blocks of a table: together they hold what may be seen and little else, and hide the rest."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attending import CASES, B, H, by_loop
from headway.functional.masks import Mask
from headway.kernels.attention._blocks import Blocks

LIKE = torch.zeros(1)


def seen_in(blocks: Blocks) -> torch.Tensor:
    """(B, H, T, S) what the blocks show, each place at most once."""
    shown = torch.zeros(blocks.shape, dtype=torch.bool)
    for block in blocks:
        scores = torch.zeros(block.shape)
        blocks.hide(block, scores)
        part = shown[block.batch, block.heads, block.rows, block.keys]
        assert part.shape == scores.shape and not part.any()
        part |= scores == 0
    return shown


@pytest.mark.parametrize(("elements", "fewest"), [(1, 1), (20, 2), (60, 3), (10_000, 64)])
@pytest.mark.parametrize("mask", CASES)
def test_what_blocks_show_is_what_the_rules_allow_and_as_much_is_counted(mask, elements, fewest):
    rules, T, S = CASES[mask]
    blocks, table = Blocks(rules, (B, H, T, S), LIKE, elements, fewest), by_loop(rules, T, S)
    assert seen_in(blocks).equal(table.expand(B, H, T, S))
    assert blocks.counts.expand(B, 1, T, 1).equal(table.sum(-1, keepdim=True).float())


@given(
    T=st.integers(1, 13),
    S=st.integers(1, 13),
    reach=st.none() | st.integers(0, 9),
    causal=st.booleans(),
    offset=st.integers(0, 5),
    keys=st.none() | st.lists(st.booleans(), min_size=13 * B, max_size=13 * B),
    elements=st.integers(1, 99),
    fewest=st.integers(1, 9),
)
def test_whatever_the_sizes_and_rules(T, S, reach, causal, offset, keys, elements, fewest):
    real = None if keys is None else torch.tensor(keys).view(B, 13)[:, :S]
    rules = Mask(real, causal, reach, None, offset)
    shown = seen_in(Blocks(rules, (B, H, T, S), LIKE, elements, fewest))
    assert shown.equal(by_loop(rules, T, S).expand(B, H, T, S))


def computed(mask: Mask, T: int) -> int:
    """How many scores are computed for one head."""
    return sum(math.prod(block.shape) for block in Blocks(mask, (1, 1, T, T), LIKE, 2**18, 64))


def test_a_causal_mask_costs_half_and_a_window_its_width():
    T, reach = 8192, 256
    assert computed(Mask(), T) == T * T
    assert computed(Mask(causal=True), T) < 0.57 * T * T
    assert computed(Mask(reach=reach), T) < 1.3 * T * (2 * reach + 1)
    assert computed(Mask(causal=True, reach=reach), T) < 1.6 * T * (reach + 1)
    assert computed(Mask(torch.arange(T)[None] < T // 4), T) == T * T // 4


def test_no_table_of_all_positions_is_made():
    T = 1 << 20
    blocks = Blocks(Mask(torch.ones(1, T, dtype=torch.bool), reach=256), (1, 1, T, T), LIKE, 2**18, 64)
    for number, block in enumerate(blocks):
        blocks.hide(block, torch.zeros(block.shape))
        if number == 20:
            break
    assert max(table.numel() for table in blocks._edges.values()) < 2**20
