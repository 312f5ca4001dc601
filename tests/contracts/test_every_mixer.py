"""What every mixer promises: the same shape out, masks kept, a state that makes steps out of a sequence."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from building import D, memory_of
from comparing import close, randoms
from headway.functional.masks import Mask, padding
from headway.layers.mixers import MIXERS, Look, Mixer

B, T = 3, 7
NAMES = pytest.mark.parametrize("name", MIXERS.names())


def made(name: str, rate: float = 0.0) -> Mixer:
    return MIXERS.build(MIXERS.choose(name), D, rate).eval()


@NAMES
def test_vectors_of_one_width_go_in_and_come_out(name):
    (x,) = (x.requires_grad_() for x in randoms((B, T, D)))
    y = made(name)(x, Look(Mask()))
    assert y.shape == x.shape and y.isfinite().all()


@NAMES
def test_positions_exchange(name):
    (x,) = randoms((1, T, D))
    other = x.clone()
    other[:, 3] = other[:, 3].flip(-1)
    mixer = made(name)
    changed = (mixer(x, Look(Mask())) - mixer(other, Look(Mask()))).abs().amax(-1)[0] > 1e-6
    assert changed[2] and changed[4]


@NAMES
@given(lengths=st.lists(st.integers(1, T), min_size=1, max_size=4), more=st.integers(0, 3))
def test_padding_and_batch_mates_change_nothing(name, lengths, more):
    mixer, longest = made(name), max(lengths) + more
    (x,) = randoms((len(lengths), longest, D))
    with torch.inference_mode():
        together = mixer(x, Look(Mask(padding(torch.tensor(lengths), longest))))
        for row, length in enumerate(lengths):
            close(together[row, :length], mixer(x[row : row + 1, :length], Look(Mask()))[0])


@NAMES
def test_behind_a_causal_mask_the_future_does_not_change_the_past(name):
    mixer, (x,) = made(name), randoms((B, T, D))
    other = x.clone()
    other[:, 4:] = other[:, 4:].flip(-1)
    before, after = (mixer(x, Look(Mask(causal=True))) for x in (x, other))
    close(before[:, :4], after[:, :4])
    assert (before[:, 4:] - after[:, 4:]).abs().max() > 1e-3


@NAMES
@pytest.mark.parametrize("sizes", [[1] * T, [2, 4, 1], [T]], ids=str)
def test_steps_with_a_state_are_the_sequence_at_once(name, sizes):
    mixer, (x,) = made(name), randoms((B, T, D))
    rows = torch.tensor([2, 0, 0])
    with torch.inference_mode():
        whole = mixer(x, Look(Mask(causal=True)))
        state, start, found = mixer.start(False), 0, []
        for block in x.split(sizes, 1):
            found.append(mixer(block, Look(Mask(causal=True, offset=start), offset=start), state))
            start += block.shape[1]
        close(torch.cat(found, 1), whole)
        state.crop(4)
        state.select(rows)
        again = mixer(x[rows, 4:], Look(Mask(causal=True, offset=4), offset=4), state)
        close(again, whole[rows, 4:])


@NAMES
def test_the_same_twice_in_evaluation_and_dropout_in_training(name):
    mixer, (x,) = made(name, 0.5), randoms((B, T, D))
    assert mixer(x, Look(Mask())).equal(mixer(x, Look(Mask())))
    mixer.train()
    assert not mixer(x, Look(Mask())).equal(mixer(x, Look(Mask())))


@NAMES
def test_every_weight_learns(name):
    mixer, (x,) = made(name).train(), randoms((B, T, D))
    (mixer(x, Look(Mask())) * randoms((B, T, D), seed=1)[0]).sum().backward()
    for key, parameter in mixer.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), key
        # softmax does not see what is added to every score of a row, and that is all that the shift of the keys does
        assert parameter.grad.any() or key == "key.bias", key


def test_attention_asks_a_memory_where_one_is_given():
    mixer, (x,), memory = made("attention"), randoms((2, T, D)), memory_of([4, 5])
    found = mixer(x, Look(Mask(memory.keys)), mixer.start(True), memory.x)
    assert found.shape == x.shape
    other = memory.x.clone()
    other[0, 4:] = -9.0
    close(mixer(x, Look(Mask(memory.keys)), None, other), found)
