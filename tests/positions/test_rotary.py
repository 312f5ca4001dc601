"""Rotary positions, against complex numbers that are multiplied by a unit vector."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from comparing import close, gradients, randoms
from headway.errors import UsageError
from headway.positions import rotary
from headway.positions.rotary import Rotary, angles

B, H, T, K = 2, 3, 7, 10


def by_complex_numbers(x: Tensor, offset: int = 0, base: float = 10_000.0) -> Tensor:
    """The number pair (i, i + K/2) at position m is turned by the angle m / base^(2i/K)."""
    x, half = x.double(), x.shape[-1] // 2
    z = torch.complex(x[..., :half], x[..., half:])
    m = torch.arange(offset, offset + x.shape[2], dtype=torch.float64)
    speed = torch.tensor([base ** (-2 * i / x.shape[-1]) for i in range(half)], dtype=torch.float64)
    turned = z * torch.polar(torch.ones(len(m), half, dtype=torch.float64), m[:, None] * speed)
    return torch.cat([turned.real, turned.imag], -1)


def made(base: float = 10_000.0) -> Rotary:
    return Rotary(rotary.Settings(base=base), H * K, H)


@pytest.mark.parametrize("base", [10_000.0, 100.0])
@pytest.mark.parametrize("offset", [0, 5, 511, 2000])
def test_pairs_are_turned_as_complex_numbers_are(offset, base):
    (x,) = (x.requires_grad_() for x in randoms((B, H, T, K)))
    found, expected = made(base).turn(x, offset), by_complex_numbers(x, offset, base).float()
    close(found, expected)
    close(gradients(found, [x])[0], gradients(expected, [x])[0])


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 400), st.integers(0, 99))
def test_a_score_depends_on_the_distance_only(m, n, shift, seed):
    q, k = randoms((1, 1, 1, K), (1, 1, 1, K), seed=seed)
    position = Rotary(rotary.Settings(), K, 1)

    def score(m: int, n: int) -> Tensor:
        return (position.turn(q, m) * position.turn(k, n)).sum()

    close(score(m + shift, n + shift), score(m, n), 1e-4)


def test_the_first_position_is_not_turned_and_lengths_stay():
    (x,) = randoms((B, H, T, K))
    turned = made().turn(x)
    close(turned[:, :, 0], x[:, :, 0])
    close(turned.norm(dim=-1), x.norm(dim=-1))
    assert not torch.allclose(turned[:, :, 1:], x[:, :, 1:], atol=0.1)


def test_turning_step_by_step_is_turning_at_once():
    (x,) = randoms((B, H, T, K))
    position = made()
    steps = [position.turn(x[:, :, m : m + 1], m) for m in range(T)]
    close(torch.cat(steps, 2), position.turn(x))


def test_the_table_grows_with_the_positions_asked_for():
    position = made()
    (x,) = randoms((1, H, 600, K))
    close(position.turn(x)[:, :, 590:], by_complex_numbers(x)[:, :, 590:].float(), 1e-4)
    assert position.table.shape[1] >= 600
    assert not position.state_dict()  # it is computed and not saved


def test_vectors_and_scores_get_nothing_added():
    (x,) = randoms((B, T, H * K))
    assert made().add(x) is x
    assert made().bias(T, T) is None
    assert not list(made().parameters())


def test_the_table_itself():
    table = angles(3, 4, 100.0)  # speeds 1 and 1/10
    expected = torch.tensor([[0, 0, 0, 0], [1, 0.1, 1, 0.1], [2, 0.2, 2, 0.2]])
    close(table, torch.stack([expected.cos(), expected.sin()]))


def test_a_head_of_an_odd_size_cannot_be_turned():
    with pytest.raises(
        UsageError, match="rotary positions turn pairs of numbers, and a head has 7: choose another width"
    ):
        Rotary(rotary.Settings(), 21, 3)
