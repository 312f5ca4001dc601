"""Operations by hand: layers whose products are few enough to be written down."""

import pytest
import torch
from torch import Tensor, nn

from headway.batch import Batch, Loss
from headway.functional.masks import Mask
from headway.kernels.feedforward import relu_feed_forward
from headway.kernels.linear import linear
from headway.lab.compare.flops import flops_of
from headway.layers.mixers import MIXERS, Look
from headway.model import Model

B, T, D = 3, 5, 8


class Layers(Model):
    """Layers in the place of a model: x (B, T, D) of the batch's input, and a loss that is a sum."""

    def __init__(self, forward, *parameters: nn.Module):
        nn.Module.__init__(self)
        self.parts, self.function = nn.ModuleList(parameters), forward

    def forward(self, batch: Batch) -> Loss:
        return Loss(self.function(batch.input["x"]).sum(), 1.0)


def counted(forward, *parts: nn.Module, wants: bool = False) -> int:
    """`wants`: whether a gradient goes on below the input."""
    x: Tensor = torch.randn(B, T, D, requires_grad=wants)
    return flops_of(Layers(forward, *parts), Batch({"x": x}))


def product(inner: int, outer: int) -> int:
    return 2 * B * T * inner * outer


@pytest.mark.parametrize("wants, passes", [(False, 2), (True, 3)])
@pytest.mark.parametrize("own", [True, False])
def test_a_linear_layer(wants, passes, own):
    """Forward, the gradient of the weight, and that of the input where one is wanted; torch's way, and ours."""
    layer = nn.Linear(D, 7)
    forward = (lambda x: linear(x, layer.weight, layer.bias)) if own else layer
    assert counted(forward, layer, wants=wants) == passes * product(D, 7)


def test_a_feed_forward_layer():
    inner, outer = nn.Linear(D, 20), nn.Linear(20, D)
    forward = lambda x: relu_feed_forward(x, inner.weight, inner.bias, outer.weight, outer.bias, 0.1)  # noqa: E731
    assert counted(forward, inner, outer) == 2 * product(D, 20) + 3 * product(20, D)


def mixer_of(name: str, **settings: object) -> nn.Module:
    return MIXERS.build(MIXERS.choose({"kind": name, **settings}), D, 0.1)


@pytest.mark.parametrize("engine", ["matmul", "fused", "definition"])
def test_an_attention(engine):
    """Three products in, one out; scores and weighted sum, two products each of T × T × D, forward and twice back."""
    mixer = mixer_of("attention", heads=2, engine=engine, dropout=0.0)
    mixer.eval()
    found = counted(lambda x: mixer(x, Look(Mask())), mixer, wants=True)
    layers, looks = 3 * 4 * product(D, D), 3 * 2 * (2 * B * T * T * D)
    again = 2 * B * T * T * D if engine == "fused" else 0  # it computes the scores anew on the way back
    assert found == layers + looks + again


@pytest.mark.parametrize("cell, gates", [("lstm", 4), ("gru", 3)])
def test_a_recurrence(cell, gates):
    layer = (nn.LSTM if cell == "lstm" else nn.GRU)(D, 6, batch_first=True)
    found = counted(lambda x: layer(x)[0], layer, wants=True)
    once = product(D, gates * 6) + product(6, gates * 6)
    assert once * 2.5 <= found <= once * 3  # the first state needs no gradient


def test_a_model_is_left_as_it_was():
    layer = nn.Linear(D, 7)
    before, state = layer.weight.clone(), torch.get_rng_state()
    model = Layers(layer, layer).eval()
    flops_of(model, Batch({"x": torch.zeros(B, T, D)}))
    assert torch.equal(layer.weight, before) and layer.weight.grad is None and not model.training
    assert torch.equal(torch.get_rng_state(), state)
