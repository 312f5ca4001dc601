"""The kinds of feed-forward layer, against their formulas."""

import math

import pytest
import torch
from torch import Tensor

from comparing import close, randoms, same
from headway.layers.feedforward import FeedForward

D, F = 7, 24


def by_formula(kind: str, layer: FeedForward, x: Tensor) -> Tensor:
    inner = x @ layer.inner.weight.T + layer.inner.bias
    if kind == "relu":
        h = torch.where(inner > 0, inner, 0.0)
    elif kind == "gelu":  # x Φ(x), Φ the normal distribution
        h = inner * (1 + torch.erf(inner / math.sqrt(2))) / 2
    else:  # silu(x) = x / (1 + e^−x)
        gate = x @ layer.gate.weight.T + layer.gate.bias
        h = gate / (1 + torch.exp(-gate)) * inner
    return h @ layer.outer.weight.T + layer.outer.bias


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", ["relu", "gelu", "swiglu"])
def test_each_kind_is_its_formula_in_value_and_gradient(kind, training):
    layer = FeedForward(kind, D, F, 0.0).double().train(training)
    names = [name for name, _ in layer.named_parameters()]
    inputs = [*randoms((2, 5, D), dtype=torch.float64), *layer.parameters()]

    def ours(x: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), (x,))

    def formula(x: Tensor, *weights: Tensor) -> Tensor:
        stand_in = FeedForward(kind, D, F, 0.0)
        for name, weight in zip(names, weights, strict=True):
            module, _, last = name.rpartition(".")
            part = stand_in.get_submodule(module)
            delattr(part, last)
            setattr(part, last, weight)
        return by_formula(kind, stand_in, x)

    same(ours, formula, inputs)


@pytest.mark.parametrize("kind", ["relu", "gelu", "swiglu"])
def test_it_looks_at_one_position_at_a_time(kind):
    layer = FeedForward(kind, D, F, 0.1).eval()
    (x,) = randoms((2, 5, D))
    close(layer(x)[:, 3], layer(x[:, 3:4])[:, 0])
    order = torch.randperm(5)
    close(layer(x[:, order]), layer(x)[:, order])


def test_swiglu_has_about_as_many_parameters_with_two_thirds_of_the_width():
    plain, gated = (FeedForward(kind, 128, 512, 0.0) for kind in ("relu", "swiglu"))
    assert gated.inner.out_features == 336  # 341 down to a multiple of 8
    many, few = (sum(p.numel() for p in layer.parameters()) for layer in (plain, gated))
    assert abs(many - few) < 0.02 * many
    assert FeedForward("swiglu", 4, 8, 0.0).inner.out_features == 8


@pytest.mark.parametrize("kind", ["relu", "gelu", "swiglu"])
def test_numbers_inside_are_dropped_in_training_only(kind):
    layer = FeedForward(kind, D, F, 0.5)
    (x,) = randoms((2, 5, D))
    layer.eval()
    assert layer(x).equal(layer(x))
    layer.train()
    first, second = layer(x), layer(x)
    assert not first.equal(second)
    mean = layer(x.repeat(2000, 1, 1)).view(2000, *x.shape).mean(0)
    layer.eval()
    assert (mean - layer(x)).abs().max() < 0.06  # the expectation stays
