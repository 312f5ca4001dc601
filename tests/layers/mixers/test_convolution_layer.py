"""The convolution layer: the definition with its own weights, and what its window sees."""

import pytest
import torch
from torch import Tensor

from building import D, stirred
from comparing import DTYPES, gradients, randoms, same
from headway.errors import UsageError
from headway.functional.convolution import convolution, depthwise_convolution, gated
from headway.functional.masks import Mask, padding
from headway.layers.mixers import Look
from headway.layers.mixers.convolution import Convolution, Settings

B, T = 2, 5


def layer(rate: float = 0.0, causal: bool = False, **settings) -> Convolution:
    return stirred(Convolution(Settings(**settings), D, rate, causal))


def by_definition(made: Convolution, x: Tensor, weights: dict[str, Tensor]) -> Tensor:
    W, b = weights["gated.weight"], weights["gated.bias"]
    if made.depthwise:
        g = gated(x @ W.T + b)
        y = depthwise_convolution(g, weights["taps"][:, 0].T, made.behind)
        return y @ weights["output.weight"].T + weights["output.bias"]
    return gated(convolution(x, W.unflatten(1, (-1, D)).transpose(0, 1), made.behind) + b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("kernel", "causal"), [(1, False), (3, False), (3, True), (4, True), (9, False), (15, True)], ids=str
)
@pytest.mark.parametrize("depthwise", [True, False])
def test_it_is_its_definition_in_value_and_gradient(depthwise, kernel, causal, dtype):
    made = layer(kernel=kernel, causal=causal, depthwise=depthwise).to(dtype)
    names = [name for name, _ in made.named_parameters()]
    look = Look(Mask(causal=causal))

    def ours(x: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(made, dict(zip(names, weights, strict=True)), (x, look))

    def definition(x: Tensor, *weights: Tensor) -> Tensor:
        return by_definition(made, x, dict(zip(names, weights, strict=True)))

    same(
        ours, definition, [*randoms((B, T, D), dtype=dtype), *made.parameters()], 3e-5 if dtype.itemsize == 4 else None
    )


@pytest.mark.parametrize("depthwise", [True, False])
@pytest.mark.parametrize(("causal", "seen"), [(False, [2, 3, 4, 5, 6]), (True, [0, 1, 2, 3, 4])])
def test_a_position_sees_its_window_and_nothing_else(causal, seen, depthwise):
    made = layer(kernel=5, causal=causal, depthwise=depthwise)
    (x,) = (x.requires_grad_() for x in randoms((1, 9, D)))
    (gradient,) = gradients(made(x, Look(Mask(causal=causal)))[:, 4], [x])
    assert gradient[0].any(-1).nonzero()[:, 0].tolist() == seen


@pytest.mark.parametrize("depthwise", [True, False])
def test_padding_gives_nothing_and_gets_no_gradient(depthwise):
    made, keys = layer(depthwise=depthwise), padding(torch.tensor([3, 0]), T)
    (x,) = (x.requires_grad_() for x in randoms((2, T, D)))
    found = made(x, Look(Mask(keys)))
    (gradient,) = gradients(found[keys], [x])
    assert found.isfinite().all() and gradient[keys].any(-1).all() and not gradient[~keys].any()


def test_what_the_taps_read_is_dropped_in_training_only():
    made, (x,) = layer(0.25), randoms((B, T, D))
    mean = made(x.repeat(3000, 1, 1), Look(Mask())).view(3000, *x.shape).mean(0).detach()
    made.eval()
    whole = made(x, Look(Mask())).detach()
    assert (mean - whole).abs().max() < 0.15  # the expectation stays
    assert made(x, Look(Mask())).equal(whole)


def test_a_window_without_a_middle_is_refused_where_both_sides_are_seen():
    with pytest.raises(UsageError, match="a window around a position is odd, and kernel is 4: choose 5"):
        layer(kernel=4)
    assert layer(kernel=4, causal=True).reach == 3
