"""The decoder's properties: what it may see, and what its settings take over from the encoder."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from building import D, memory_of, shape, stirred
from comparing import close, gradients, randoms
from headway.batch import Memory
from headway.functional.masks import padding
from headway.layers.decoder import DecoderStack, StackSettings
from headway.layers.mixers import MIXERS
from headway.layers.mixers.attention import Settings as AttentionSettings
from headway.positions import POSITIONS
from headway.positions.learned import Learned
from headway.positions.rotary import Rotary

T, LENGTHS = 5, [4, 7]


def stack(causal: bool = True, settings: StackSettings | None = None, **changed) -> DecoderStack:
    return stirred(DecoderStack(settings or StackSettings(), shape(**changed), causal)).eval()


@pytest.mark.parametrize("position", POSITIONS.names())
def test_the_future_does_not_change_the_past(position):
    decoder, memory = stack(position=position), memory_of(LENGTHS)
    (y,) = randoms((2, T, D))
    other = y.clone()
    other[:, 3] = other[:, 3].flip(-1)
    before, after = decoder(y, memory), decoder(other, memory)
    assert before[:, :3].equal(after[:, :3])
    assert not torch.isclose(before[:, 3:], after[:, 3:]).all()


def test_a_position_gets_no_gradient_from_what_was_before_it():
    decoder, memory = stack(), memory_of(LENGTHS)
    (y,) = (y.requires_grad_() for y in randoms((2, T, D)))
    (gradient,) = gradients(decoder(y, memory)[:, :3], [y])
    assert gradient[:, :3].any() and not gradient[:, 3:].any()


def test_without_causal_every_position_sees_every_other():
    decoder, memory = stack(causal=False), memory_of(LENGTHS)
    (y,) = (y.requires_grad_() for y in randoms((2, T, D)))
    (gradient,) = gradients(decoder(y, memory)[:, :1], [y])
    assert gradient.any(-1).all()


@given(lengths=st.lists(st.integers(1, 7), min_size=1, max_size=4), more=st.integers(0, 3), seed=st.integers(0, 9))
def test_padding_of_the_source_and_batch_mates_change_nothing(lengths, more, seed):
    decoder, longest = stack(), max(lengths) + more
    x, y = randoms((len(lengths), longest, D), (len(lengths), T, D), seed=seed)
    with torch.inference_mode():
        together = decoder(y, Memory(x, padding(torch.tensor(lengths), longest)))
        for row, length in enumerate(lengths):
            close(together[row], decoder(y[row : row + 1], Memory(x[row : row + 1, :length]))[0])


@pytest.mark.sampled(3)
@pytest.mark.parametrize("mixer", MIXERS.names())
@given(lengths=st.lists(st.integers(1, T), min_size=1, max_size=4), seed=st.integers(0, 9))
def test_written_all_at_once_padding_behind_the_target_changes_nothing(mixer, lengths, seed):
    decoder = stack(causal=False, settings=StackSettings(mixer=None if mixer == "attention" else mixer))
    y, x = randoms((len(lengths), T, D), (len(lengths), 7, D), seed=seed)
    with torch.inference_mode():
        together = decoder(y, Memory(x), padding(torch.tensor(lengths), T))
        for row, length in enumerate(lengths):
            close(together[row, :length], decoder(y[row : row + 1, :length], Memory(x[row : row + 1]))[0])


def test_cross_attention_is_not_turned_so_the_order_of_the_memory_does_not_matter():
    decoder = stack(position="rotary")
    (y,), memory = randoms((2, T, D)), memory_of([7, 7])
    close(decoder(y, Memory(memory.x.flip(1))), decoder(y, memory))


def test_the_settings_that_are_left_open_are_the_encoders():
    decoder = stack(layers=3, heads=2, position="learned")
    assert len(decoder.blocks) == 3 and isinstance(decoder.position, Learned)
    assert decoder.blocks[0].mixer.heads == decoder.blocks[0].cross.heads == 2


def test_the_settings_that_are_given_win():
    own, cross = AttentionSettings(heads=3), AttentionSettings(heads=6)
    settings = StackSettings(layers=1, mixer=own, cross=cross, position="rotary")
    decoder = stack(settings=settings, layers=3, heads=2, position="learned")
    assert len(decoder.blocks) == 1 and isinstance(decoder.position, Rotary)
    assert decoder.position.head_size == D // 3
    assert (decoder.blocks[0].mixer.heads, decoder.blocks[0].cross.heads) == (3, 6)
    assert stack(settings=StackSettings(mixer=own), heads=2).blocks[0].cross.heads == 3


def test_every_weight_learns():
    decoder = stack().train()
    memory = memory_of(LENGTHS)
    names = {name for name, _ in decoder.named_parameters() if not name.endswith("key.bias")}  # softmax sees none of it
    outputs = decoder(randoms((2, T, D))[0], memory) * randoms((2, T, D), seed=1)[0]
    outputs.sum().backward()
    for name, parameter in decoder.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert name not in names or parameter.grad.any(), name


def test_dropout_acts_in_training_only():
    decoder, memory = stack(dropout=0.3), memory_of(LENGTHS)
    (y,) = randoms((2, T, D))
    assert decoder(y, memory).equal(decoder(y, memory))
    decoder.train()
    assert not decoder(y, memory).equal(decoder(y, memory))
