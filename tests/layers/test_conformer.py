"""The Conformer block is its formula, its convolution sees its window, and who cannot use it says so."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from building import D, shape, stirred
from comparing import close, gradients, randoms
from headway.decoders import TargetSizes
from headway.decoders.ctc import CTC
from headway.decoders.ctc import Settings as CTCSettings
from headway.errors import UsageError
from headway.functional.convolution import depthwise_convolution, gated
from headway.functional.masks import Mask, padding
from headway.inputs.graph import GraphInput, GraphSizes
from headway.inputs.graph import Settings as GraphSettings
from headway.layers.encoder import Encoder
from headway.layers.mixers import Look
from headway.layers.mixers.convolution import Convolution
from headway.layers.mixers.convolution import Settings as ConvolutionSettings

B, S = 2, 6


def block(kernel: int = 3, **changed):
    made = Encoder(shape(layers=1, block={"kind": "conformer", "kernel": kernel}, **changed))
    return stirred(made).eval().blocks[0]


def by_hand(made, x: Tensor, keys: Tensor | None, mask: Mask) -> Tensor:
    """Equation 1 and figures 2 and 4 of Gulati et al. 2020, with a norm of each position; keys (B, S)."""

    def norm(layer, x: Tensor) -> Tensor:
        spread = (x - x.mean(-1, keepdim=True)).square().mean(-1, keepdim=True)
        return (x - x.mean(-1, keepdim=True)) / (spread + layer.eps).sqrt() * layer.weight + layer.bias

    def feed(layer, x: Tensor) -> Tensor:
        return (x @ layer.inner.weight.T + layer.inner.bias).relu() @ layer.outer.weight.T + layer.outer.bias

    def convolve(layer, x: Tensor) -> Tensor:
        g = gated(x @ layer.gated.weight.T + layer.gated.bias)
        g = g if keys is None else g * keys[..., None]
        y = norm(layer.norm, depthwise_convolution(g, layer.taps[:, 0].T, layer.behind))
        return y * y.sigmoid() @ layer.output.weight.T + layer.output.bias

    x = x + feed(made.feedforward_before, norm(made.fed_before.norm, x)) / 2
    x = x + made.mixer(norm(made.mixed.norm, x), Look(mask))
    x = x + convolve(made.convolution, norm(made.convolved.norm, x))
    return norm(made.norm, x + feed(made.feedforward, norm(made.fed.norm, x)) / 2)


@pytest.mark.parametrize("lengths", [[S, S], [S, 3]])
def test_it_is_its_formula_in_value_and_gradient(lengths):
    made, keys = block(), padding(torch.tensor(lengths), S)
    mask = Mask(keys)
    x, wanted = randoms((B, S, D), (B, S, D), dtype=torch.float64)
    made, x = made.double(), x.requires_grad_()
    found, expected = made(x, Look(mask)), by_hand(made, x, keys, mask)
    close(found[keys], expected[keys], 1e-9)
    ours, theirs = (gradients(y[keys] * wanted[keys], [x, *made.parameters()]) for y in (found, expected))
    for one, other in zip(ours, theirs, strict=True):
        close(one, other, 1e-8)


def test_closed_to_attention_a_position_sees_its_window_and_nothing_else():
    made = block(kernel=5)
    made.mixed.closed = True
    (x,) = (x.requires_grad_() for x in randoms((1, 9, D)))
    (gradient,) = gradients(made(x, Look(Mask()))[:, 4], [x])
    assert gradient[0].any(-1).nonzero()[:, 0].tolist() == [2, 3, 4, 5, 6]


def test_a_bias_on_scores_is_the_attentions_and_not_the_convolutions():
    (x,) = randoms((B, S, D))
    made = stirred(Encoder(shape(block="conformer", position="relative"))).eval()
    assert made(x, Mask()).x.isfinite().all()


def test_a_window_has_a_middle_and_the_norm_is_for_depthwise_taps():
    with pytest.raises(UsageError, match="choose 5"):
        block(kernel=4)
    with pytest.raises(UsageError, match="depthwise"):
        Convolution(ConvolutionSettings(depthwise=False, normed=True), D, 0.0)


def test_nodes_of_a_graph_have_no_order_that_it_could_read():
    settings = shape(position="none", block="conformer")
    with pytest.raises(UsageError, match=r"model.encoder.block is conformer.*set it to transformer"):
        GraphInput.made(GraphSettings(), settings, GraphSizes(9, (0,) * 9, 0, 1, False, 0))


def test_behind_it_a_ctc_without_layers_knows_an_order():
    sizes, settings = TargetSizes(11), CTCSettings(layers=0)
    assert CTC(settings, shape(position="none", block="conformer"), sizes, None)
    with pytest.raises(UsageError, match="conformer"):
        CTC(settings, shape(position="none"), sizes, None)


def test_the_usual_swish_is_that_of_torch():
    made = stirred(Convolution(ConvolutionSettings(kernel=1, normed=True), D, 0.0)).eval()
    (x,) = randoms((1, 4, D))
    g = gated(x @ made.gated.weight.T + made.gated.bias) * made.taps[:, 0, 0]
    y = F.silu(F.layer_norm(g, (D,), made.norm.weight, made.norm.bias))
    close(made(x, Look(Mask())), y @ made.output.weight.T + made.output.bias)
