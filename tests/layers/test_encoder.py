"""The encoder's properties: order, padding, batch mates, dropout, and what its settings decide."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from building import D, no_gradient_is_missing, shape, stirred
from comparing import close, randoms
from headway.batch import Memory
from headway.errors import UsageError
from headway.functional.masks import Mask, padding
from headway.layers.encoder import Encoder, EncoderSettings
from headway.layers.mixers.attention import Settings as AttentionSettings
from headway.positions import POSITIONS

S = 7


def encoder(**changed) -> Encoder:
    return stirred(Encoder(shape(**changed))).eval()


def test_without_positions_the_order_of_the_elements_does_not_matter():
    (x,) = randoms((2, S, D))
    made, order = encoder(position="none"), torch.randperm(S)
    close(made(x[:, order], Mask()).x, made(x, Mask()).x[:, order])


@pytest.mark.parametrize("position", [name for name in POSITIONS.names() if name != "none"])
def test_with_positions_the_order_matters(position):
    (x,) = randoms((2, S, D))
    made, order = encoder(position=position), torch.arange(S).roll(2)  # backwards, distances would stay
    assert (made(x[:, order], Mask()).x - made(x, Mask()).x[:, order]).abs().max() > 1e-3


@pytest.mark.sampled(3)
@pytest.mark.parametrize("position", POSITIONS.names())
@given(lengths=st.lists(st.integers(1, S), min_size=1, max_size=4), more=st.integers(0, 3), noise=st.integers(0, 9))
def test_padding_and_batch_mates_change_nothing(position, lengths, more, noise):
    """Each row is what it is alone, whatever stands behind it and beside it."""
    made, longest = encoder(position=position), max(lengths) + more
    (x,) = randoms((len(lengths), longest, D), seed=noise)
    keys = padding(torch.tensor(lengths), longest)
    with torch.inference_mode():
        together = made(x, Mask(keys)).x
        for row, length in enumerate(lengths):
            close(together[row, :length], made(x[row : row + 1, :length], Mask()).x[0])


def test_padding_gets_no_gradient_and_gives_none():
    made = encoder()
    (x,) = (x.requires_grad_() for x in randoms((2, S, D)))
    keys = padding(torch.tensor([4, S]), S)
    made(x, Mask(keys)).x[keys].sum().backward()
    assert not x.grad[~keys].any() and x.grad[keys].any(-1).all()


def test_behind_a_causal_mask_the_future_does_not_change_the_past():
    made = encoder()
    (x,) = randoms((2, S, D))
    other = x.clone()
    other[:, 4:] = other[:, 4:].flip(-1)
    before, after = (made(x, Mask(causal=True)).x for x in (x, other))
    assert before[:, :4].equal(after[:, :4]) and not before[:, 4:].equal(after[:, 4:])


def test_within_a_reach_what_is_farther_than_all_layers_together_is_not_seen():
    made = encoder(layers=2)
    (x,) = randoms((1, 11, D))
    other = x.clone()
    other[:, 10] = other[:, 10].flip(-1)
    before, after = (made(x, Mask(reach=2)).x for x in (x, other))  # two layers of reach 2 see 4 far
    close(before[:, :6], after[:, :6])
    assert (before[:, 6:] - after[:, 6:]).abs().amax(-1).gt(1e-4).all()


def test_a_bias_of_minus_infinity_is_a_mask():
    made = encoder()
    (x,) = randoms((2, S, D))
    keys = padding(torch.tensor([4, S]), S)
    bias = torch.zeros(2, 1, 1, S).masked_fill(~keys[:, None, None], -torch.inf).expand(2, 3, S, S)
    close(made(x, Mask(), bias).x[keys], made(x, Mask(keys)).x[keys])


def test_the_mask_of_the_keys_goes_on_to_the_task():
    (x,) = randoms((2, S, D))
    keys = padding(torch.tensor([4, S]), S)
    memory = encoder()(x, Mask(keys))
    assert isinstance(memory, Memory) and memory.keys is keys and memory.x.shape == x.shape
    assert encoder()(x, Mask()).keys is None


def test_dropout_acts_in_training_only_and_by_the_seed():
    made = encoder(dropout=0.3)
    (x,) = randoms((2, S, D))
    assert made(x, Mask()).x.equal(made(x, Mask()).x)
    made.train()
    torch.manual_seed(1)
    first, second = made(x, Mask()).x, made(x, Mask()).x
    assert not first.equal(second)
    torch.manual_seed(1)
    assert made(x, Mask()).x.equal(first)
    without = Encoder(shape(dropout=0.0)).train()
    without.load_state_dict(made.state_dict())
    close(made.eval()(x, Mask()).x, without(x, Mask()).x)


@pytest.mark.parametrize("norm", ["layer", "rms"])
@pytest.mark.parametrize("place", ["pre", "post"])
@pytest.mark.parametrize("feedforward", ["relu", "gelu", "swiglu"])
def test_every_kind_of_block_learns_with_every_weight(norm, place, feedforward):
    made = encoder(norm=norm, norm_place=place, feedforward=feedforward).train()
    (x,) = randoms((2, S, D))
    total = (made(x, Mask(padding(torch.tensor([4, S]), S))).x * randoms((2, S, D), seed=1)[0]).sum()
    for block in made.blocks:  # a key's bias adds the same to every score of a row: softmax does not see it
        block.mixer.key.bias.requires_grad_(False)
        block.mixer.key.bias.grad = torch.ones(D)
    total.backward()
    for name, parameter in made.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), name


def test_the_readout_norm_stands_where_each_layer_is_normalized_before():
    assert isinstance(Encoder(shape(norm_place="pre")).norm, torch.nn.LayerNorm)
    assert isinstance(Encoder(shape(norm_place="pre", norm="rms")).norm, torch.nn.RMSNorm)
    assert isinstance(Encoder(shape(norm_place="post")).norm, torch.nn.Identity)


def test_the_hidden_width_is_four_times_the_width_unless_it_is_given():
    assert EncoderSettings(width=24).hidden_width == 96
    assert EncoderSettings(width=24, hidden=7).hidden_width == 7
    assert Encoder(shape(hidden=17)).blocks[0].feedforward.inner.out_features == 17
    assert len(Encoder(shape(layers=3)).blocks) == 3


def test_a_width_that_the_heads_cannot_divide_is_refused_in_words():
    with pytest.raises(UsageError, match="attention divides the width among its heads, and 12 is not a multiple of 5"):
        Encoder(shape(mixer=AttentionSettings(heads=5)))


def test_one_row_of_one_element_passes():
    made = encoder().train()
    (x,) = (x.requires_grad_() for x in randoms((1, 1, D)))
    made(x, Mask(causal=True)).x.sum().backward()
    assert x.grad.isfinite().all()
    no_gradient_is_missing(made.norm, (made(x, Mask()).x * torch.arange(D)).sum())
