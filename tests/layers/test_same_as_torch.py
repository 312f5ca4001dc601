"""Encoder, decoder and both together are torch's own Transformer, weight for weight, in value and every gradient."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from building import D, memory_of, shape
from comparing import DTYPES, close, randoms
from headway.batch import Memory
from headway.functional.masks import Mask, causal, padding
from headway.layers.decoder import DecoderStack, StackSettings
from headway.layers.encoder import Encoder, EncoderSettings

HEADS, F, LAYERS = 3, 20, 2
B, S, T = 2, 7, 5
LENGTHS = [4, 7]

Pairs = Iterator[tuple[Tensor, Tensor, slice | None]]
"""Our parameter, torch's, and which rows of torch's it is, where it is a part."""


# ------------------------------------------------------------------------------------------------- who belongs to whom


def attention_pairs(ours: nn.Module, theirs: nn.MultiheadAttention) -> Pairs:
    for number, layer in enumerate((ours.query, ours.key, ours.value)):
        part = slice(number * D, (number + 1) * D)
        yield layer.weight, theirs.in_proj_weight, part
        yield layer.bias, theirs.in_proj_bias, part
    yield from layer_pairs(ours.output, theirs.out_proj)


def layer_pairs(ours: nn.Module, theirs: nn.Module) -> Pairs:
    yield ours.weight, theirs.weight, None
    yield ours.bias, theirs.bias, None


def feedforward_pairs(ours: nn.Module, theirs: nn.Module) -> Pairs:
    yield from layer_pairs(ours.feedforward.inner, theirs.linear1)
    yield from layer_pairs(ours.feedforward.outer, theirs.linear2)


def encoder_pairs(ours: Encoder, theirs: nn.TransformerEncoder) -> Pairs:
    for own, layer in zip(ours.blocks, theirs.layers, strict=True):
        yield from attention_pairs(own.mixer, layer.self_attn)
        yield from feedforward_pairs(own, layer)
        yield from layer_pairs(own.mixed.norm, layer.norm1)
        yield from layer_pairs(own.fed.norm, layer.norm2)
    if theirs.norm is not None:
        yield from layer_pairs(ours.norm, theirs.norm)


def decoder_pairs(ours: DecoderStack, theirs: nn.TransformerDecoder) -> Pairs:
    for own, layer in zip(ours.blocks, theirs.layers, strict=True):
        yield from attention_pairs(own.mixer, layer.self_attn)
        yield from attention_pairs(own.cross, layer.multihead_attn)
        yield from feedforward_pairs(own, layer)
        yield from layer_pairs(own.mixed.norm, layer.norm1)
        yield from layer_pairs(own.crossed.norm, layer.norm2)
        yield from layer_pairs(own.fed.norm, layer.norm3)
    if theirs.norm is not None:
        yield from layer_pairs(ours.norm, theirs.norm)


def copy(pairs: list[tuple[Tensor, Tensor, slice | None]], ours: nn.Module, theirs: nn.Module) -> None:
    """torch's weights, moved a little so that none is one or zero, into ours; none is forgotten."""
    assert len(pairs) == len(list(ours.parameters()))
    assert len({id(other) for _, other, _ in pairs}) == len(list(theirs.parameters()))
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
        for own, other, part in pairs:
            own.copy_(other if part is None else other[part])


def same_gradients(pairs: list[tuple[Tensor, Tensor, slice | None]]) -> None:
    for own, other, part in pairs:
        close(own.grad, other.grad if part is None else other.grad[part])


# ---------------------------------------------------------------------------------------------------------- the layers


def torch_layer(kind: type[nn.Module], place: str, activation: str, dtype: torch.dtype) -> nn.Module:
    return kind(
        D, HEADS, F, dropout=0.0, activation=activation, batch_first=True, norm_first=place == "pre", dtype=dtype
    )


def their_encoder(place: str, activation: str, dtype: torch.dtype) -> nn.TransformerEncoder:
    layer = torch_layer(nn.TransformerEncoderLayer, place, activation, dtype)
    norm = nn.LayerNorm(D, dtype=dtype) if place == "pre" else None
    return nn.TransformerEncoder(layer, LAYERS, norm, enable_nested_tensor=False)


def their_decoder(place: str, activation: str, dtype: torch.dtype) -> nn.TransformerDecoder:
    layer = torch_layer(nn.TransformerDecoderLayer, place, activation, dtype)
    return nn.TransformerDecoder(layer, LAYERS, nn.LayerNorm(D, dtype=dtype) if place == "pre" else None)


def same_shape(place: str, activation: str) -> EncoderSettings:
    return shape(heads=HEADS, hidden=F, layers=LAYERS, norm_place=place, feedforward=activation, position="none")


KINDS = pytest.mark.parametrize(
    ("place", "activation"), [("pre", "relu"), ("pre", "gelu"), ("post", "relu"), ("post", "gelu")]
)
TYPES = pytest.mark.parametrize("dtype", DTYPES)


@pytest.mark.sampled(4)
@TYPES
@KINDS
@pytest.mark.parametrize("rules", ["none", "padding", "causal", "both"])
def test_the_encoder_is_torchs(rules, place, activation, dtype):
    theirs = their_encoder(place, activation, dtype)
    ours = Encoder(same_shape(place, activation)).to(dtype)
    pairs = list(encoder_pairs(ours, theirs))
    copy(pairs, ours, theirs)
    real = padding(torch.tensor(LENGTHS), S) if rules in ("padding", "both") else None
    earlier = rules in ("causal", "both")
    (x,) = (x.requires_grad_() for x in randoms((B, S, D), dtype=dtype))
    (y,) = (x.requires_grad_() for x in randoms((B, S, D), dtype=dtype))
    found = ours(x, Mask(real, causal=earlier)).x
    expected = theirs(y, ~causal(S, S) if earlier else None, None if real is None else ~real)
    counted = torch.ones(B, S, dtype=torch.bool) if real is None else real
    close(found[counted], expected[counted])
    uneven = randoms((B, S, D), dtype=dtype, seed=2)[0] * counted[..., None] / 10
    (found * uneven).sum().backward()
    (expected * uneven).sum().backward()
    close(x.grad, y.grad)
    same_gradients(pairs)


@pytest.mark.sampled(4)
@TYPES
@KINDS
@pytest.mark.parametrize("earlier", [True, False], ids=["causal", "all at once"])
@pytest.mark.parametrize("padded", [False, True])
def test_the_decoder_is_torchs(padded, earlier, place, activation, dtype):
    theirs = their_decoder(place, activation, dtype)
    ours = DecoderStack(StackSettings(), same_shape(place, activation), causal=earlier).to(dtype)
    pairs = list(decoder_pairs(ours, theirs))
    copy(pairs, ours, theirs)
    memory = memory_of(LENGTHS if padded else [S] * B, dtype=dtype)
    written = padding(torch.tensor([5, 3]), T) if padded else None
    x, y = (randoms((B, T, D), dtype=dtype)[0].requires_grad_() for _ in range(2))
    m, n = (memory.x.clone().requires_grad_() for _ in range(2))
    found = ours(x, Memory(m, memory.keys), written)
    expected = theirs(
        y,
        n,
        tgt_mask=~causal(T, T) if earlier else None,
        tgt_key_padding_mask=None if written is None else ~written,
        memory_key_padding_mask=None if memory.keys is None else ~memory.keys,
    )
    counted = torch.ones(B, T, dtype=torch.bool) if written is None else written
    close(found[counted], expected[counted])
    uneven = randoms((B, T, D), dtype=dtype, seed=2)[0] * counted[..., None] / 10
    (found * uneven).sum().backward()
    (expected * uneven).sum().backward()
    close(x.grad, y.grad)
    close(m.grad, n.grad)
    same_gradients(pairs)


@TYPES
@KINDS
def test_encoder_and_decoder_together_are_torchs_transformer(place, activation, dtype):
    theirs = nn.Transformer(
        D,
        HEADS,
        custom_encoder=their_encoder(place, activation, dtype),
        custom_decoder=their_decoder(place, activation, dtype),
        batch_first=True,
    )
    settings = same_shape(place, activation)
    ours = nn.ModuleList([Encoder(settings), DecoderStack(StackSettings(), settings, causal=True)]).to(dtype)
    pairs = [*encoder_pairs(ours[0], theirs.encoder), *decoder_pairs(ours[1], theirs.decoder)]
    copy(pairs, ours, theirs)
    real = padding(torch.tensor(LENGTHS), S)
    source, target = randoms((B, S, D), (B, T, D), dtype=dtype)
    found = ours[1](target, ours[0](source, Mask(real)))
    hidden = {"src_key_padding_mask": ~real, "memory_key_padding_mask": ~real}
    expected = theirs(source, target, tgt_mask=~causal(T, T), **hidden)
    close(found, expected)
    (found * randoms((B, T, D), dtype=dtype, seed=2)[0] / 10).sum().backward()
    (expected * randoms((B, T, D), dtype=dtype, seed=2)[0] / 10).sum().backward()
    same_gradients(pairs)


@KINDS
def test_torchs_fast_path_for_answering_gives_what_ours_gives(place, activation):
    theirs = their_encoder(place, activation, torch.float32).eval()
    ours = Encoder(same_shape(place, activation)).eval()
    copy(list(encoder_pairs(ours, theirs)), ours, theirs)
    real = padding(torch.tensor(LENGTHS), S)
    (x,) = randoms((B, S, D))
    with torch.inference_mode():
        close(ours(x, Mask(real)).x[real], theirs(x, src_key_padding_mask=~real)[real])


def test_with_one_weight_changed_this_comparison_fails():
    theirs = their_encoder("pre", "relu", torch.float32)
    ours = Encoder(same_shape("pre", "relu"))
    copy(list(encoder_pairs(ours, theirs)), ours, theirs)
    (x,) = randoms((B, S, D))
    close(ours(x, Mask()).x, theirs(x))
    with torch.no_grad():
        ours.blocks[1].mixer.key.weight[3, 5] += 0.1
    with pytest.raises(AssertionError, match="not close"):
        close(ours(x, Mask()).x, theirs(x))
