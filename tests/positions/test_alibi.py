"""ALiBi, against two loops over the formula of its paper."""

import pytest
import torch

from comparing import close, randoms
from headway.positions import alibi
from headway.positions.alibi import Alibi


def made(heads: int, causal: bool = False) -> Alibi:
    return Alibi(alibi.Settings(), 12, heads, causal)


@pytest.mark.parametrize(("T", "S", "offset"), [(5, 5, 0), (1, 7, 6), (3, 7, 4), (1, 1, 0)])
@pytest.mark.parametrize("heads", [1, 3, 8])
def test_each_head_has_a_slope_of_its_own(heads, T, S, offset):
    expected = torch.empty(1, heads, T, S, dtype=torch.float64)
    for h in range(heads):
        for i in range(T):
            for j in range(S):
                expected[0, h, i, j] = -(2 ** (-8 * (h + 1) / heads)) * abs(i + offset - j)
    close(made(heads).bias(T, S, offset).double(), expected, 1e-6)


def test_the_slopes_of_eight_heads_are_those_of_the_paper():
    assert made(8).slopes.tolist() == [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]


def test_what_lies_ahead_counts_as_what_lies_behind():
    bias = made(4).bias(9, 9)
    close(bias, bias.transpose(2, 3))
    close(made(4, causal=True).bias(9, 9), bias)


def test_nothing_is_learned_nor_saved_nor_turned_nor_added():
    position, (x, q) = made(3), randoms((2, 5, 12), (2, 3, 5, 4))
    assert not list(position.parameters()) and not position.state_dict() and position.gives_bias
    assert position.add(x) is x and position.turn(q) is q
