"""The two matrices around a ReLU as one operation, against the same in steps."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from comparing import DTYPES, close, gradients, randoms, same
from headway.kernels.dropout import dropout
from headway.kernels.feedforward import relu_feed_forward

D, FF = 7, 13


def in_steps(x: Tensor, inner: Tensor, bias: Tensor, outer: Tensor, end: Tensor, rate: float = 0.0) -> Tensor:
    return F.linear(dropout(F.linear(x, inner, bias).relu(), rate), outer, end)


def inputs_for(*shape: int, dtype: torch.dtype) -> list[Tensor]:
    return randoms(shape, (FF, D), (FF,), (D, FF), (D,), dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(5, D), (3, 5, D), (1, D)], ids=str)
def test_without_dropout_it_is_the_steps_in_value_and_every_gradient(shape, dtype):
    same(lambda *given: relu_feed_forward(*given, 0.0), in_steps, inputs_for(*shape, dtype=dtype))


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_with_dropout_it_is_the_steps_of_the_same_seed(rate):
    inputs = [x.requires_grad_() for x in inputs_for(3, 5, D, dtype=torch.float64)]
    found = []
    for f in (relu_feed_forward, in_steps):
        torch.manual_seed(3)
        y = f(*inputs, rate)
        found.append([y, *gradients(y, inputs)])
    for one, other in zip(*found, strict=True):
        close(one, other)


def test_gradcheck():
    inputs = [x.requires_grad_() for x in inputs_for(3, D, dtype=torch.float64)]

    def again(*given: Tensor) -> Tensor:
        torch.manual_seed(5)
        return relu_feed_forward(*given, 0.4)

    assert torch.autograd.gradcheck(again, inputs)


def test_the_input_and_the_weights_are_left_as_they_were():
    inputs = inputs_for(5, D, dtype=torch.float32)
    before = [x.clone() for x in inputs]
    relu_feed_forward(*inputs, 0.5)
    assert all(x.equal(y) for x, y in zip(inputs, before, strict=True))


def test_under_autocast_it_is_torchs_and_gradients_keep_the_type_of_the_weights():
    inputs = [x.requires_grad_() for x in inputs_for(64, D, dtype=torch.float32)]
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = relu_feed_forward(*inputs, 0.0), in_steps(*inputs)
    assert found.dtype == expected.dtype == torch.bfloat16
    assert (found - expected).norm() < 0.01 * expected.norm()
    for one, other in zip(gradients(found, inputs), gradients(expected, inputs), strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 0.01 * other.norm()
