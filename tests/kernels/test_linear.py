"""Products by oneDNN, and heads split and merged, against torch's own in value and gradient."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from comparing import DTYPES, close, randoms, same
from headway.kernels import linear as linear_module
from headway.kernels.heads import merge, split
from headway.kernels.linear import Packed, linear, product, product_type

D, FF = 7, 13


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("shape", [(5, D), (3, 5, D), (2, 3, 5, D), (1, 1, D)], ids=str)
def test_linear_is_torchs_in_value_and_every_gradient(shape, biased, dtype):
    inputs = randoms(shape, (FF, D), *([(FF,)] if biased else []), dtype=dtype)
    same(linear, F.linear, inputs)


def test_views_in_another_order_are_taken_as_they_stand():
    x, weight = randoms((D, 5, 3), (D, FF))
    same(lambda x, w: linear(x.transpose(0, 2), w.t()), lambda x, w: F.linear(x.transpose(0, 2), w.t()), [x, weight])


def test_gradcheck():
    inputs = [x.requires_grad_() for x in randoms((3, 5, D), (FF, D), (FF,), dtype=torch.float64)]
    assert torch.autograd.gradcheck(linear, inputs)


def test_no_rows_give_no_rows_and_a_gradient_of_zero():
    weight = torch.randn(FF, D, requires_grad=True)
    y = linear(torch.zeros(0, D), weight)
    assert y.shape == (0, FF)
    (gradient,) = torch.autograd.grad(y.sum(), weight)
    assert not gradient.any()


def test_only_what_is_asked_for_gets_a_gradient():
    x, weight, bias = randoms((5, D), (FF, D), (FF,))
    bias.requires_grad_()
    y = linear(x, weight, bias)
    y.sum().backward()
    assert x.grad is None and weight.grad is None
    close(bias.grad, torch.full((FF,), 5.0))


def test_under_autocast_products_are_in_its_type_and_gradients_in_that_of_the_weights():
    inputs = [x.requires_grad_() for x in randoms((64, D), (FF, D), (FF,))]
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = linear(*inputs), F.linear(*inputs)
    assert found.dtype == expected.dtype == torch.bfloat16
    close(found.float(), expected.float(), 0.05)
    for one, x in zip(torch.autograd.grad(found.float().sum(), inputs), inputs, strict=True):
        assert one.dtype == x.dtype


@pytest.fixture
def medium():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("fast", [False, True])
def test_medium_rounds_the_factors_where_the_processor_gains_by_it_and_nothing_else(medium, monkeypatch, fast):
    monkeypatch.setattr("headway.kernels.linear._multiplies_bfloat16", lambda: fast)
    inputs = [x.requires_grad_() for x in randoms((64, 32), (FF, 32), (FF,))]
    found, expected = linear(*inputs), F.linear(*(x.double() for x in inputs)).float()
    assert found.dtype == torch.float32
    error = (found - expected).norm() / expected.norm()
    assert (2**-12 < error < 2**-7) if fast else error < 1e-6
    for one, x in zip(torch.autograd.grad(found.sum(), inputs), inputs, strict=True):
        assert one.dtype == x.dtype


def test_medium_leaves_double_precision_and_autocast_alone(medium):
    inputs = randoms((5, D), (FF, D), dtype=torch.float64)
    close(linear(*inputs), F.linear(*inputs))
    assert product_type(inputs[0]) == torch.float64
    with torch.autocast("cpu", torch.float16):
        assert product_type(torch.zeros(1)) == torch.float16


@pytest.mark.parametrize("dtype", [*DTYPES, torch.bfloat16])
def test_a_product_with_its_relu_is_the_relu_of_the_product(dtype):
    x, weight, bias = randoms((5, D), (FF, D), (FF,), dtype=dtype)
    near = 0.1 if dtype == torch.bfloat16 else None
    close(product(x, weight, bias, relu=True), F.linear(x, weight, bias).relu(), near)
    close(product(x, weight), F.linear(x, weight), near)


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("heads", [1, 5])
def test_splitting_into_heads_is_a_view_in_value_and_gradient(parts, heads):
    B, T, K = 2, 3, 7
    (x,) = randoms((B, T, parts * heads * K), dtype=torch.float64)

    def by_hand(x: Tensor) -> Tensor:
        x = x.view(B, T, parts, heads, K).permute(2, 0, 3, 1, 4)
        return (x * torch.arange(1, parts + 1).view(-1, 1, 1, 1, 1)).cos()

    def ours(x: Tensor) -> Tensor:
        return torch.stack([part * n for n, part in enumerate(split(x, parts, heads), 1)]).cos()

    same(ours, by_hand, [x])
    assert all(part.is_contiguous() for part in split(x, parts, heads))


def test_a_part_that_nothing_is_made_of_gets_a_gradient_of_zero():
    x = torch.randn(2, 3, 2 * 5 * 7, requires_grad=True)
    first, _ = split(x, 2, 5)
    (gradient,) = torch.autograd.grad(first.sum(), x)
    close(gradient, torch.cat([torch.ones(2, 3, 35), torch.zeros(2, 3, 35)], -1))


def test_merging_undoes_splitting_in_value_and_gradient():
    (x,) = randoms((2, 3, 5 * 7), dtype=torch.float64)
    same(lambda x: merge(split(x, 1, 5)[0].sin()), lambda x: x.sin(), [x])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [1, 2, 5, 33])
def test_a_packed_weight_gives_the_product(rows, dtype):
    x, weight, bias = randoms((rows, D), (FF, D), (FF,), dtype=dtype)
    close(Packed(weight, bias)(x), F.linear(x, weight, bias))


def test_a_packed_weight_may_lie_in_another_order():
    x, weight, bias = randoms((3, D), (D, FF), (FF,))
    close(Packed(weight.t(), bias)(x), F.linear(x, weight.t(), bias))


def test_a_processor_without_bfloat16_takes_torchs_own_product(monkeypatch):
    monkeypatch.setattr(linear_module, "onednn_knows_bfloat16", lambda: False)
    x, weight, bias = (torch.randn(*size).bfloat16() for size in ((5, 7), (3, 7), (3,)))
    assert linear_module.product(x, weight, bias).equal(F.linear(x, weight, bias))
    assert linear_module.product(x, weight, bias, relu=True).equal(F.linear(x, weight, bias).relu())
