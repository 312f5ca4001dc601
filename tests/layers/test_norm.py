"""Add & norm, against formulas."""

import pytest
import torch
from torch import Tensor

from comparing import DTYPES, close, randoms, same
from headway.layers.norm import Residual, norm_of

D = 13


def layer_norm(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    mean = x.mean(-1, keepdim=True)
    spread = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(spread + 1e-5) * scale + shift


def rms_norm(x: Tensor, scale: Tensor) -> Tensor:
    return x / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-6) * scale


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("kind", "formula", "learned"), [("layer", layer_norm, 2), ("rms", rms_norm, 1)])
def test_each_norm_is_its_formula_in_value_and_gradient(kind, formula, learned, dtype):
    norm = norm_of(kind, D).to(dtype)
    names = [name for name, _ in norm.named_parameters()]
    assert len(names) == learned

    def ours(x: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(norm, dict(zip(names, weights, strict=True)), (x,))

    same(ours, formula, randoms((2, 5, D), *[(D,)] * learned, dtype=dtype))


def test_a_vector_of_zeros_stays_finite():
    for kind in ("layer", "rms"):
        x = torch.zeros(2, D, requires_grad=True)
        norm_of(kind, D)(x).sum().backward()
        assert x.grad.isfinite().all()


def curve(x: Tensor) -> Tensor:
    """Some layer between the norms."""
    return torch.tanh(2 * x) + 1


@pytest.mark.parametrize("kind", ["layer", "rms"])
def test_before_each_layer_or_after_the_addition(kind):
    (x,) = randoms((2, 5, D))
    pre, post = (Residual(kind, place, D, 0.0) for place in ("pre", "post"))
    close(pre(x, curve), x + curve(pre.norm(x)))
    close(post(x, curve), post.norm(x + curve(x)))


@pytest.mark.parametrize("place", ["pre", "post"])
def test_what_the_layer_says_is_dropped_in_training_only(place):
    residual = Residual("layer", place, D, 0.5)
    (x,) = randoms((2, 5, D))
    assert not residual(x, curve).equal(residual(x, curve))
    if place == "pre":
        update = (residual(x, curve) - x).flatten()
        assert 0.2 < (update.abs() < 1e-6).float().mean() < 0.8  # about half of 130 is dropped, and x itself never
    residual.eval()
    assert residual(x, curve).equal(residual(x, curve))
