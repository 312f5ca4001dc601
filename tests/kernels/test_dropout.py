"""Dropout from random bytes: its rate, its scale, its gradient, and what a seed decides."""

import pytest
import torch

from comparing import close, gradients, randoms
from headway.kernels.dropout import dropout, dropout_add

RATES = [0.05, 0.1, 0.3, 0.5, 0.9]


def used(rate: float) -> float:
    """The multiple of 1/256 that is nearest to a rate: 0.3 is 77/256."""
    return round(rate * 256) / 256


@pytest.mark.parametrize("rate", RATES)
def test_the_rate_is_the_nearest_of_256_and_what_is_kept_is_scaled_by_exactly_that(rate):
    n, p = 200_003, used(rate)
    assert p == pytest.approx(rate, abs=1 / 512)
    y = dropout(torch.ones(n, dtype=torch.float64), rate)
    kept = y != 0
    close(y[kept], torch.full_like(y[kept], 1 / (1 - p)), 1e-12)
    assert abs(n - kept.sum().item() - n * p) < 5 * (n * p * (1 - p)) ** 0.5  # five standard deviations of a binomial
    assert y.mean().item() == pytest.approx(1, abs=5 * (p / (1 - p) / n) ** 0.5)


def test_neighbours_are_dropped_independently():
    kept = (dropout(torch.ones(160_000), 0.3) != 0).double() - (1 - used(0.3))
    for lag in (1, 2, 7, 8, 9, 64):
        correlation = (kept[lag:] * kept[:-lag]).mean() / (0.3 * 0.7)
        assert abs(correlation) < 5 / 160_000**0.5
    place = kept.view(-1, 8).mean(0)  # the eight bytes of one random number
    assert place.abs().max() < 5 * (0.21 / 20_000) ** 0.5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_gradient_is_the_mask_that_was_used(dtype):
    (x,) = (x.requires_grad_() for x in randoms((7, 13), dtype=dtype))
    y = dropout(x, 0.4)
    assert y.dtype == dtype and y.shape == x.shape
    (gradient,) = torch.autograd.grad(y.sum(), x)
    factor = 1 / (1 - used(0.4))
    live = (y != 0).to(dtype)
    close(gradient, live * factor, 1e-2 if dtype == torch.bfloat16 else 1e-6)
    close(y, x * live * factor, 1e-2 if dtype == torch.bfloat16 else 1e-6)


def test_dropout_add_is_the_residual_connection():
    x, update = (x.requires_grad_() for x in randoms((5, 7), (5, 7)))
    torch.manual_seed(1)
    together = dropout_add(x, update, 0.3)
    torch.manual_seed(1)
    apart = x + dropout(update, 0.3)
    close(together, apart)
    for one, other in zip(gradients(together, [x, update]), gradients(apart, [x, update]), strict=True):
        close(one, other)


def test_the_seed_decides():
    x = torch.rand(3, 5, 7)
    outputs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outputs.append(dropout(x, 0.5))
    assert outputs[0].equal(outputs[1]) and not outputs[0].equal(outputs[2])
    assert not dropout(x, 0.5).equal(dropout(x, 0.5))  # and the next call goes on


def test_a_view_in_another_order_is_taken_as_it_stands():
    (x,) = randoms((7, 5, 3), dtype=torch.float64)
    for view in (x.transpose(0, 2), x[:, ::2], x[..., 1:2].expand(7, 5, 11)):
        view = view.detach().requires_grad_()
        torch.manual_seed(3)
        found = dropout(view, 0.4)
        torch.manual_seed(3)
        close(found, dropout(view.contiguous(), 0.4))
        assert gradients(found, [view])[0].shape == view.shape


def test_gradcheck():
    (x,) = (x.requires_grad_() for x in randoms((3, 7), dtype=torch.float64))

    def again(x):
        torch.manual_seed(5)
        return dropout(x, 0.4)

    assert torch.autograd.gradcheck(again, [x])


def test_without_a_rate_nothing_happens():
    x = torch.randn(5)
    state = torch.get_rng_state()
    assert dropout(x, 0.0) is x
    assert torch.get_rng_state().equal(state)  # and no random number is drawn


def test_the_input_is_left_as_it_was():
    x = torch.randn(5, 7)
    before = x.clone()
    dropout(x, 0.5)
    assert x.equal(before)


def test_nothing_in_nothing_out():
    assert dropout(torch.zeros(0, 3), 0.5).shape == (0, 3)


def test_a_rate_just_below_one_is_a_rate():
    y = dropout(torch.ones(100_000), 0.999)
    assert y.isfinite().all() and 0 < (y != 0).sum() < 1000
