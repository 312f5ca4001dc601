"""The simpler simple recurrent unit: one position after another, all at once, and as an attention that decays."""

import pytest
import torch
from torch import Tensor

from building import D, stirred
from comparing import DTYPES, close, gradients, randoms, same
from headway.functional import recurrence
from headway.functional.attention import attention, split_heads
from headway.functional.masks import Mask, causal, padding
from headway.kernels.running_mean import running_mean
from headway.layers.mixers import Look
from headway.layers.mixers.ssru import Settings, Ssru

B, T = 2, 7
TYPES = pytest.mark.parametrize("dtype", DTYPES)


def gates(dtype: torch.dtype) -> list[Tensor]:
    """x, forget and start."""
    x, forget, start = randoms((B, T, D), (B, T, D), (B, D), dtype=dtype)
    return [x, (3 * forget).sigmoid(), start]


def reversed_definition(x: Tensor, forget: Tensor, start: Tensor) -> Tensor:
    return recurrence.running_mean(x.flip(1), forget.flip(1), start).flip(1)


# -------------------------------------------------------------------------------------------------- the running mean


@TYPES
def test_the_running_mean_is_its_definition_in_value_and_gradient_both_ways(dtype):
    same(running_mean, recurrence.running_mean, gates(dtype))
    same(running_mean, recurrence.running_mean, gates(dtype)[:2])
    same(lambda *inputs: running_mean(*inputs, reverse=True), reversed_definition, gates(dtype))


@pytest.mark.parametrize("reverse", [False, True])
def test_its_gradient_is_that_of_small_differences(reverse):
    inputs = [x[:, :4, :3].clone().requires_grad_() if x.ndim == 3 else x[:, :3] for x in gates(torch.float64)]
    inputs[2] = inputs[2].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda *inputs: running_mean(*inputs, reverse=reverse), inputs)


def test_it_is_an_attention_whose_weights_are_what_the_gates_in_between_have_left():
    """cₜ = Σₛ exp(Fₜ − Fₛ)(1 − fₛ) xₛ with F the sum of log f: a head for each channel, of one number."""
    x, forget, _ = gates(torch.float64)
    F = forget.log().cumsum(1).transpose(1, 2)
    kept = F[:, :, :, None] - F[:, :, None, :] + (1 - forget).log().transpose(1, 2)[:, :, None, :]
    none, values = torch.zeros(B, D, T, 1, dtype=torch.float64), split_heads(x, D)

    def exponential(scores: Tensor, mask: Tensor | None) -> Tensor:
        return scores.exp().where(mask, 0.0)

    found, weights = attention(none, none, values, causal(T, T)[None, None], kept, normalizer=exponential)
    close(found[..., 0].transpose(1, 2), running_mean(x, forget))
    assert weights.sum(-1).max() <= 1


def test_gates_that_are_open_or_shut_pass_all_or_nothing_without_rounding():
    x, _, start = gates(torch.float32)
    shut, opened = torch.ones_like(x), torch.zeros_like(x)
    assert running_mean(x, shut, start).equal(start[:, None].expand(B, T, D))
    assert running_mean(x, opened, start).equal(x)
    forget = torch.full_like(x, 1e-30).requires_grad_()  # logarithms of 1e-210 in the sum: still numbers
    running_mean(x, forget).sum().backward()
    assert forget.grad.isfinite().all()


def test_the_mean_of_short_numbers_is_kept_in_32_bits():
    x, forget, start = gates(torch.bfloat16)
    found = running_mean(x, forget, start)
    assert found.dtype == torch.float32
    close(found, recurrence.running_mean(x.float(), forget.float(), start.float()))


# ------------------------------------------------------------------------------------------------------------ the layer


@TYPES
@pytest.mark.parametrize("both", [True, False])
def test_it_is_the_formula_with_its_two_matrices(both, dtype):
    made = stirred(Ssru(Settings(bidirectional=both), D, 0.0)).to(dtype)
    (x,) = randoms((B, T, D), dtype=dtype)
    value, forget = x @ made.value.weight.T, (x @ made.forget.weight.T + made.forget.bias).sigmoid()
    half = D // 2 if both else D
    ahead = recurrence.running_mean(value[..., :half], forget[..., :half])
    back = recurrence.running_mean(value[..., half:].flip(1), forget[..., half:].flip(1)).flip(1)
    close(made(x, Look(Mask())), torch.cat([ahead, back], -1).relu(), 3e-5 if dtype.itemsize == 4 else None)


def test_every_position_sees_the_whole_row_and_no_padding():
    made, keys = stirred(Ssru(Settings(), D, 0.0)), padding(torch.tensor([3, 0]), T)
    (x,) = (x.requires_grad_() for x in randoms((2, T, D)))
    found = made(x, Look(Mask(keys)))
    for position in range(3):
        (gradient,) = gradients(found[:1, position], [x])
        assert gradient[keys].any(-1).all() and not gradient[~keys].any()
    assert not found[1].any()
