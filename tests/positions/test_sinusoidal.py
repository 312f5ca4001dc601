"""Sinusoidal positions, against the formula of the paper written as two loops."""

import math

import pytest
import torch

from comparing import close, randoms
from headway.positions import sinusoidal
from headway.positions.sinusoidal import Sinusoidal, sinusoids


def by_loop(positions: int, width: int, base: float = 10_000.0) -> torch.Tensor:
    """PE(m, 2i) = sin(m / base^(2i/D)), PE(m, 2i+1) = cos(m / base^(2i/D)) (Vaswani et al. 2017, section 3.5)."""
    table = torch.zeros(positions, width, dtype=torch.float64)
    for m in range(positions):
        for d in range(width):
            angle = m / base ** (2 * (d // 2) / width)
            table[m, d] = math.sin(angle) if d % 2 == 0 else math.cos(angle)
    return table.float()


@pytest.mark.parametrize("base", [10_000.0, 50.0])
@pytest.mark.parametrize("width", [12, 7, 2])
def test_the_table_is_the_formula_of_the_paper(width, base):
    close(sinusoids(29, width, base), by_loop(29, width, base))


@pytest.mark.parametrize("offset", [0, 3, 509])
def test_it_is_added_to_the_vectors_from_the_offset_on(offset):
    (x,) = randoms((2, 5, 12))
    position = Sinusoidal(sinusoidal.Settings(), 12, 3)
    close(position.add(x, offset) - x, by_loop(offset + 5, 12)[offset:].expand(2, 5, 12), 1e-4)


def test_the_first_position_is_zeros_and_ones():
    close(sinusoids(1, 6, 10_000.0), torch.tensor([[0.0, 1, 0, 1, 0, 1]]))


def test_longer_rows_than_ever_make_the_table_grow():
    position = Sinusoidal(sinusoidal.Settings(), 12, 3)
    added = position.add(torch.zeros(1, 700, 12))
    close(added[0, 690:], by_loop(700, 12)[690:], 1e-4)
    assert not position.state_dict() and not list(position.parameters())


def test_every_position_is_another_vector_and_shifts_are_rotations():
    table = sinusoids(100, 16, 10_000.0).double()
    distances = torch.cdist(table, table)
    assert distances.fill_diagonal_(9).min() > 0.1
    close((table[:-7] * table[7:]).sum(-1), (table[:1] * table[7:8]).sum(-1).expand(93), 1e-5)


def test_queries_and_keys_are_not_turned():
    (q,) = randoms((2, 3, 5, 4))
    position = Sinusoidal(sinusoidal.Settings(), 12, 3)
    assert position.turn(q, 2) is q and position.bias(5, 5) is None
