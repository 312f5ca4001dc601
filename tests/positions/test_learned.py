"""Learned positions: a row of a table for every position, and none beyond its end."""

import pytest
import torch

from comparing import close, randoms
from headway.errors import DataError
from headway.positions import learned
from headway.positions.learned import Learned


def made(positions: int = 7) -> Learned:
    return Learned(learned.Settings(positions=positions), 12, 3)


@pytest.mark.parametrize("offset", [0, 2])
def test_each_position_gets_its_own_row_of_the_table(offset):
    (x,) = randoms((2, 5, 12))
    position = made()
    close(position.add(x, offset), x + position.table[offset : offset + 5])


def test_the_gradient_goes_to_the_rows_that_were_used():
    position = made()
    position.add(torch.zeros(3, 2, 12), 4).sum().backward()
    assert position.table.grad.sum(-1).tolist() == [0, 0, 0, 0, 36, 36, 0]  # 3 rows of 12 numbers


@pytest.mark.parametrize(("length", "offset"), [(8, 0), (1, 7), (3, 5)])
def test_a_position_beyond_the_last_is_refused_in_words(length, offset):
    with pytest.raises(DataError) as caught:
        made().add(torch.zeros(1, length, 12), offset)
    assert str(caught.value) == (
        "input: a row of 8 positions, and learned positions end at 7; set position.positions higher, "
        "set data.max_length, or use sinusoidal or rotary positions"
    )


def test_the_last_position_is_still_one():
    position = made()
    close(position.add(torch.zeros(1, 1, 12), 6)[0], position.table[6:])
    close(position.add(torch.zeros(1, 7, 12))[0], position.table)


def test_queries_and_keys_are_not_turned():
    (q,) = randoms((2, 3, 5, 4))
    assert made().turn(q, 2) is q and made().bias(5, 5) is None
