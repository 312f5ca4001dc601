"""The output layer and its loss in pieces, against the plain definition on all logits at once."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from comparing import DTYPES, close, gradients, matrices, randoms, same
from headway.functional.losses import cross_entropy
from headway.kernels.cross_entropy import ROWS, projected_cross_entropy

D, V = 7, 11


def plain(x: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, smoothing: float) -> Tensor:
    logits = F.linear(x, weight, bias)
    return cross_entropy(logits, targets, torch.ones_like(targets, dtype=torch.bool), smoothing)[0]


def inputs_for(N: int, dtype: torch.dtype, biased: bool) -> list[Tensor]:
    return randoms((N, D), (V, D), *([(V,)] if biased else []), dtype=dtype)


def as_call(f, targets: Tensor, smoothing: float):
    def call(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return f(x, weight, bias, targets, smoothing)

    return call


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("N", [1, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS + 1])
def test_the_pieces_are_the_whole_in_value_and_every_gradient(N, smoothing, biased, dtype):
    targets = torch.randint(V, (N,))
    inputs = [x / N for x in inputs_for(N, dtype, biased)[:1]] + inputs_for(N, dtype, biased)[1:]
    near = 1e-4 if dtype == torch.float32 else None  # sums over up to 513 rows
    same(*(as_call(f, targets, smoothing) for f in (projected_cross_entropy, plain)), inputs, near)


def test_the_pieces_have_the_size_that_these_tests_are_about():
    assert ROWS == 256


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_gradcheck(smoothing, biased):
    inputs = [x.requires_grad_() for x in inputs_for(5, torch.float64, biased)]
    assert torch.autograd.gradcheck(as_call(projected_cross_entropy, torch.randint(V, (5,)), smoothing), inputs)


@pytest.mark.parametrize("dtype", DTYPES)
def test_logits_far_apart_overflow_nothing(dtype):
    x = torch.full((3, D), 100.0, dtype=dtype)
    (weight,) = randoms((V, D), dtype=dtype)
    targets = torch.tensor([0, 5, 10])
    same(*(as_call(f, targets, 0.1) for f in (projected_cross_entropy, plain)), [x, weight], 1e-4)


@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_what_comes_after_the_loss_scales_its_gradients(factor):
    inputs = [x.requires_grad_() for x in inputs_for(5, torch.float64, True)]
    targets = torch.randint(V, (5,))
    found, expected = (as_call(f, targets, 0.1)(*inputs) * factor for f in (projected_cross_entropy, plain))
    for one, other in zip(torch.autograd.grad(found, inputs), torch.autograd.grad(expected, inputs), strict=True):
        close(one, other)


@pytest.mark.parametrize("frozen", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)], ids=str)
def test_what_is_frozen_gets_no_gradient_and_the_rest_still_gets_its_own(frozen):
    targets = torch.randint(V, (5,))
    given = [x.requires_grad_(i not in frozen) for i, x in enumerate(inputs_for(5, torch.float64, True))]
    free = [x for x in given if x.requires_grad]
    found, expected = (as_call(f, targets, 0.1)(*given) for f in (projected_cross_entropy, plain))
    close(found, expected)
    for one, other in zip(gradients(found, free), gradients(expected, free), strict=True):
        close(one, other)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_without_a_gradient_wanted_the_value_is_the_same(smoothing):
    inputs, targets = inputs_for(300, torch.float64, True), torch.randint(V, (300,))
    with torch.inference_mode():
        found = as_call(projected_cross_entropy, targets, smoothing)(*inputs)
    close(found.clone(), as_call(plain, targets, smoothing)(*inputs))


def test_one_table_for_reading_and_writing_gets_both_gradients():
    (table,) = matrices(1, V, D, dtype=torch.float64)
    tokens, targets = torch.randint(V, (5,)), torch.randint(V, (5,))

    def tied(f):
        return lambda table: f(F.embedding(tokens, table).tanh(), table, None, targets, 0.1)

    same(tied(projected_cross_entropy), tied(plain), [table])


def test_rows_in_another_order_are_taken_as_they_stand():
    (x,), (weight,) = randoms((D, 5), dtype=torch.float64), randoms((D, V), dtype=torch.float64, seed=6)
    targets = torch.randint(V, (5,))
    same(
        lambda x, weight: projected_cross_entropy(x.T, weight.T, None, targets),
        lambda x, weight: plain(x.T, weight.T, None, targets, 0.0),
        [x, weight],
    )


def test_no_rows_are_a_loss_of_zero_with_gradients_of_zero():
    inputs = [x.requires_grad_() for x in inputs_for(0, torch.float32, True)]
    total = as_call(projected_cross_entropy, torch.zeros(0, dtype=torch.long), 0.1)(*inputs)
    assert total == 0
    assert not any(gradient.any() for gradient in gradients(total, inputs))


@pytest.mark.parametrize("biased", [False, True])
def test_under_autocast_to_bfloat16_it_is_near_and_gradients_keep_the_type_of_the_weights(biased):
    N = 300
    inputs = [x.requires_grad_() for x in inputs_for(N, torch.float32, biased)]
    targets = torch.randint(V, (N,))
    with torch.autocast("cpu", torch.bfloat16):
        found = as_call(projected_cross_entropy, targets, 0.1)(*inputs)
    expected = as_call(plain, targets, 0.1)(*inputs)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected.item(), rel=0.01)
    for one, other in zip(torch.autograd.grad(found, inputs), torch.autograd.grad(expected, inputs), strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 0.02 * other.norm()


# ------------------------------------------------------------------------------------------- rows that count unequally


def shared_call(f, targets: Tensor, smoothing: float, shares: Tensor):
    def call(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return f(x, weight, bias, targets, smoothing, shares)

    return call


def one_by_one(x, weight, bias, targets, smoothing, shares) -> Tensor:
    """Every row by itself, times what it counts."""
    return sum(
        share * plain(x[i : i + 1], weight, bias, targets[i : i + 1], smoothing) for i, share in enumerate(shares)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("N", [1, ROWS + 3])
def test_a_row_counts_as_much_as_its_share_in_value_and_gradient(N, smoothing, biased, dtype):
    targets, shares = torch.randint(V, (N,)), torch.rand(N, dtype=dtype) * 2
    inputs = [x / N for x in inputs_for(N, dtype, biased)[:1]] + inputs_for(N, dtype, biased)[1:]
    near = 1e-4 if dtype == torch.float32 else None
    same(*(shared_call(f, targets, smoothing, shares) for f in (projected_cross_entropy, one_by_one)), inputs, near)


def test_gradcheck_with_shares():
    inputs = [x.requires_grad_() for x in inputs_for(5, torch.float64, True)]
    shares = torch.tensor([1.0, 0.0, 0.5, 2.0, 1.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(shared_call(projected_cross_entropy, torch.randint(V, (5,)), 0.1, shares), inputs)


def test_the_definition_counts_shares_as_the_kernel_does():
    x, weight, bias = inputs_for(5, torch.float64, True)
    targets, shares = torch.randint(V, (5,)), torch.rand(5, dtype=torch.float64)
    counted = torch.tensor([True, True, False, True, True])
    total, count = cross_entropy(F.linear(x, weight, bias), targets, counted, 0.1, shares=shares)
    close(total, projected_cross_entropy(x, weight, bias, targets, 0.1, shares * counted))
    close(count, shares[counted].sum())
