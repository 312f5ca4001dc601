"""Parts switched off: nothing out changes nothing, a removed head is a zeroed matrix, a uniform one a mean by hand."""

import copy

import pytest
import torch
from torch import Tensor

from building import memory_of, shape, stirred, writer
from comparing import close, randoms
from headway.functional.masks import Mask, padding
from headway.layers.encoder import Encoder
from headway.layers.frozen import refuses
from headway.layers.knockout import knocked_out
from headway.layers.mixers import Look
from headway.layers.mixers.attention import Attention, Settings
from headway.normalizers import NORMALIZERS
from headway.search import Search

B, T, D, H = 2, 5, 12, 3
K = D // H
KEYS = padding(torch.tensor([5, 3]), T)


@pytest.fixture(autouse=True)
def _no_gradients():
    with torch.no_grad():
        yield


def attention(**changed) -> Attention:
    return stirred(Attention(Settings(heads=H, **changed), D, 0.0)).eval()


def without_rows(layer: Attention, heads: list[int]) -> Attention:
    """The same with the columns of the output matrix zeroed that read these heads: an oracle that knows no knockout."""
    other = copy.deepcopy(layer)
    with torch.no_grad():
        for head in heads:
            other.output.weight[:, head * K : (head + 1) * K] = 0.0
    return other


def test_nothing_knocked_out_changes_no_bit_and_leaves_nothing_behind():
    encoder = stirred(Encoder(shape())).eval()
    (x,) = randoms((B, T, D))
    before = encoder(x, Mask(KEYS)).x
    block = encoder.blocks[0]
    with knocked_out({}), knocked_out({block.mixer: []}):
        assert encoder(x, Mask(KEYS)).x.equal(before)
    with pytest.raises(ZeroDivisionError), knocked_out({block.mixer: [0]}, closed=[block.fed]):
        raise ZeroDivisionError
    assert encoder(x, Mask(KEYS)).x.equal(before)


@pytest.mark.parametrize("gate", ["none", "head", "element"])
@pytest.mark.parametrize("heads", [[0], [1, 2], [0, 1, 2]])
def test_removed_heads_are_zeroed_columns_of_the_output_matrix(gate, heads):
    layer = attention(gate=gate)
    x, memory = randoms((B, T, D), (B, 4, D))
    for look, asked in ((Look(Mask(KEYS, causal=True)), None), (Look(Mask()), memory)):
        expected = without_rows(layer, heads)(x, look, None, asked)
        with knocked_out({layer: heads}):
            close(layer(x, look, None, asked), expected)


@pytest.mark.parametrize("engine", ["definition", "matmul", "fused", "blockwise"])
def test_uniform_heads_give_the_mean_of_what_the_mask_allows(engine):
    layer = attention(engine=engine)
    (x,) = randoms((B, T, D))
    mask = Mask(KEYS, causal=True)
    with knocked_out({layer: [1]}, "uniform"):
        found = layer(x, Look(mask))
    values = (x @ layer.value.weight.T + layer.value.bias).detach()[..., K : 2 * K]
    expected = []
    for b in range(B):
        allowed = [[j for j in range(i + 1) if KEYS[b, j]] for i in range(T)]
        expected.append(torch.stack([values[b, some].mean(0) for some in allowed]))
    others = without_rows(layer, [1])(x, Look(mask))
    close(found, others + torch.stack(expected) @ layer.output.weight[:, K : 2 * K].T)


@pytest.mark.parametrize("normalizer", NORMALIZERS.names())
def test_uniform_means_the_same_whatever_makes_weights_of_scores(normalizer):
    layer = attention(normalizer=NORMALIZERS.choose(normalizer))
    (x,) = randoms((B, T, D))
    empty = Look(Mask(padding(torch.tensor([5, 0]), T)))
    with knocked_out({layer: range(H)}, "uniform"):
        found = layer(x, empty)
    request = layer.request(x, empty)
    even = torch.zeros(B, H, T, T).masked_fill(empty.mask.keys[:, None, None, :], 1 / T)
    heads = layer.normalizer.finish(even @ request.v)
    close(found, layer.output(heads.transpose(1, 2).flatten(-2)))


@pytest.mark.parametrize("place", ["pre", "post"])
def test_a_closed_residual_adds_nothing(place):
    encoder = stirred(Encoder(shape(norm_place=place))).eval()
    (x,) = randoms((B, T, D))
    block = encoder.blocks[0]
    look = Look(Mask(KEYS), None, encoder.position)

    def norm(residual, y: Tensor) -> Tensor:
        return y if place == "pre" else residual.norm(y)

    with knocked_out({}, closed=[block.mixed]):
        close(block(x, look), block.fed(norm(block.mixed, x), block.feedforward))
    with knocked_out({}, closed=[block.mixed, block.fed]):
        close(block(x, look), norm(block.fed, norm(block.mixed, x)))


def test_a_decoder_writes_step_by_step_what_the_zeroed_one_writes():
    """The frozen stack, which knows no switch, must stand aside; keys and values of earlier steps must go on."""
    decoder, memory = writer(), memory_of([4, 6])
    assert refuses(decoder.stack) is None
    mine, cross = decoder.stack.blocks[0].mixer, decoder.stack.blocks[1].cross
    other = copy.deepcopy(decoder)
    for layer in (other.stack.blocks[0].mixer, other.stack.blocks[1].cross):
        with torch.no_grad():
            layer.output.weight[:, :K] = 0.0
    usual = decoder.generate(memory, Search(scores=True))
    with knocked_out({mine: [0], cross: [0]}):
        assert refuses(decoder.stack) == "a head is knocked out"
        found, expected = decoder.generate(memory, Search(scores=True)), other.generate(memory, Search(scores=True))
    for one, same in zip(found, expected, strict=True):
        assert one[0].tokens == same[0].tokens
        close(torch.tensor(one[0].log_p), torch.tensor(same[0].log_p), 1e-4)
    with knocked_out({}, closed=[decoder.stack.blocks[0].fed]):
        assert refuses(decoder.stack) == "a layer is knocked out"
    assert decoder.generate(memory, Search(scores=True)) == usual
