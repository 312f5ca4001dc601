"""What every mixer promises: the same shape out, masks kept, a state that makes steps out of a sequence."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from building import D, memory_of
from comparing import close, gradients, randoms
from headway.errors import UsageError
from headway.functional.masks import Mask, padding
from headway.layers.mixers import MIXERS, Look, Mixer, position_for
from headway.positions import POSITIONS

B, T = 3, 7
VARIANTS: dict[str, dict[str, Any]] = {
    "recurrent gru": {"cell": "gru"},
    "convolution full": {"depthwise": False},
    "convolution normed": {"normed": True},
}
"""Beside the defaults: the first word is the file."""
NAMES = pytest.mark.parametrize("name", [*MIXERS.names(), *VARIANTS])
WITHOUT_QUERIES = pytest.mark.parametrize("name", [name for name in MIXERS.names() if not MIXERS.part(name).compares])


def made(name: str, rate: float = 0.0, causal: bool = False) -> Mixer:
    settings = MIXERS.choose({"kind": name.split()[0], **VARIANTS.get(name, {})})
    return MIXERS.build(settings, D, rate, causal).eval()


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
    mixer, (x,) = made(name, causal=True), randoms((B, T, D))
    other = x.clone()
    other[:, 4:] = other[:, 4:].flip(-1)
    before, after = (mixer(x, Look(Mask(causal=True))) for x in (x, other))
    close(before[:, :4], after[:, :4])
    assert (before[:, 4:] - after[:, 4:]).abs().max() > 1e-3


@NAMES
@pytest.mark.parametrize("sizes", [[1] * T, [2, 4, 1], [T]], ids=str)
def test_steps_with_a_state_are_the_sequence_at_once(name, sizes):
    mixer, (x,) = made(name, causal=True), randoms((B, T, D))
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
def test_the_same_twice_in_evaluation_and_by_the_seed_in_training(name):
    mixer, (x,) = made(name, 0.5), randoms((B, T, D))
    assert mixer(x, Look(Mask())).equal(mixer(x, Look(Mask())))
    mixer.train()
    outputs = []
    for _ in range(2):
        torch.manual_seed(1)
        outputs.append(mixer(x, Look(Mask())))
    assert outputs[0].equal(outputs[1])


@NAMES
@pytest.mark.parametrize("lengths", [[0, 5], [0, 0]])
def test_a_row_without_elements_gives_no_gradient_and_no_nan(name, lengths):
    (x,) = (x.requires_grad_() for x in randoms((2, max(lengths), D)))
    keys = padding(torch.tensor(lengths), max(lengths))
    found = made(name)(x, Look(Mask(keys)))
    assert found.shape == x.shape and found.isfinite().all()
    (gradient,) = gradients(found[keys], [x])
    assert gradient.isfinite().all() and not gradient[0].any()


@NAMES
@pytest.mark.parametrize("causal", [False, True])
def test_under_autocast_it_is_nearly_the_same(name, causal):
    mixer, (x,) = made(name, causal=causal), (x.requires_grad_() for x in randoms((B, T, D)))
    look = Look(Mask(padding(torch.tensor([4, 7, 1]), T), causal=causal))
    with torch.autocast("cpu", torch.bfloat16):
        found = mixer(x, look)
    (gradient,) = gradients(found, [x])
    close(found.float(), mixer(x, look), 0.05)
    assert gradient.isfinite().all() and gradient.dtype == torch.float32


@NAMES
def test_under_autocast_steps_are_nearly_the_sequence(name):
    mixer, (x,) = made(name, causal=True), randoms((B, T, D))
    state = mixer.start(False)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        whole = mixer(x, Look(Mask(causal=True)))
        looks = [Look(Mask(causal=True, offset=t), offset=t) for t in range(T)]
        steps = [mixer(x[:, t : t + 1], look, state) for t, look in enumerate(looks)]
    close(torch.cat(steps, 1), whole, 0.05)


@NAMES
def test_every_weight_learns(name):
    mixer, (x,) = made(name).train(), randoms((B, T, D))
    (mixer(x, Look(Mask())) * randoms((B, T, D), seed=1)[0]).sum().backward()
    for key, parameter in mixer.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), key
        # softmax does not see what is added to every score of a row, and that is all that the shift of the keys does
        assert parameter.grad.any() or key == "key.bias", key


@WITHOUT_QUERIES
def test_without_queries_rules_that_need_them_are_refused_in_words(name):
    mixer, (x,), memory = made(name), randoms((2, T, D)), memory_of([4, 5])
    asked = {
        "a mask of edges": Look(Mask(edges=torch.ones(2, T, T, dtype=torch.bool))),
        "a reach": Look(Mask(reach=1)),
        "a bias on scores": Look(Mask(), torch.zeros(1, 1, T, T)),
        "a mask that hides the future, being built to see it": Look(Mask(causal=True)),
    }
    for rule, look in asked.items():
        with pytest.raises(UsageError, match=f"the mixer {name} cannot keep to {rule}; the mixer attention can"):
            mixer(x, look)
    with pytest.raises(UsageError, match="another sequence to look at"):
        mixer(x, Look(Mask(memory.keys)), None, memory.x)


@WITHOUT_QUERIES
def test_without_scores_a_position_that_is_a_bias_on_them_is_refused_and_all_others_go(name):
    for position in POSITIONS.names():
        chosen = MIXERS.choose(name), POSITIONS.choose(position), D, True
        if POSITIONS.part(position).gives_bias:
            with pytest.raises(
                UsageError, match=f"the position {position} is a bias on scores, and the mixer {name} has"
            ):
                position_for(*chosen)
        else:
            assert position_for(*chosen).bias(T, T) is None


def test_attention_asks_a_memory_where_one_is_given():
    mixer, (x,), memory = made("attention"), randoms((2, T, D)), memory_of([4, 5])
    found = mixer(x, Look(Mask(memory.keys)), mixer.start(True), memory.x)
    assert found.shape == x.shape
    other = memory.x.clone()
    other[0, 4:] = -9.0
    close(mixer(x, Look(Mask(memory.keys)), None, other), found)
