"""Frames as elements: the convolutions against slow loops, what is hidden and moved in training, padding."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from building import no_gradient_is_missing, stirred
from comparing import close, randoms
from headway.functional.sound import log_mel, mel_filters
from headway.inputs.sound import Augment, Settings, SoundInput, SoundSizes, _hidden, _moved, _raised, augmented, collate
from headway.kernels.dropout import drawn_from

D, MELS = 12, 7
STILL = Augment(masks=0, speed=0.0, shift=0.0, pitch=0.0)
RATE = 16_000


def rows(*lengths: int, each: int = 2) -> list[np.ndarray]:
    random = np.random.default_rng(sum(lengths))
    return [random.standard_normal((length, each, MELS)).astype(np.float16) for length in lengths]


def module(each: int = 2, augment: Augment = STILL) -> SoundInput:
    settings = Settings(subsampling=each, channels=3, augment=augment)
    return stirred(SoundInput(settings, D, SoundSizes(MELS))).eval()


# ------------------------------------------------------------------------------------------------------------ collate


def test_rows_are_padded_and_say_which_elements_are_real():
    part = collate(rows(3, 1))
    assert part["frames"].shape == (2, 3, 2, MELS) and part["frames"].dtype == torch.float32
    assert part["keys"].tolist() == [[True] * 3, [True, False, False]]
    assert not part["frames"][1, 1:].any()
    assert set(collate(rows(2, 2))) == {"frames"}


def test_what_is_not_normal_yet_is_made_so_and_padding_stays_zero():
    mean, spread = np.full(MELS, 3.0, np.float32), np.full(MELS, 2.0, np.float32)
    given, (first, second) = rows(2, 1), collate(rows(2, 1), (mean, spread))["frames"]
    close(first, torch.from_numpy((given[0].astype(np.float32) - 3) / 2))
    assert not second[1].any()


# ------------------------------------------------------------------------------------------------------- convolutions


def slow(x: np.ndarray, convolution: torch.nn.Conv2d, stride: int) -> np.ndarray:
    """A convolution of (channels, time, mels), one number after another; beyond the edges there is 0."""
    W, b = (parameter.detach().numpy() for parameter in (convolution.weight, convolution.bias))
    channels, T, M = x.shape
    found = np.zeros((len(W), -(-T // stride), -(-M // 2)))
    for o, t, m in np.ndindex(*found.shape):
        found[o, t, m] = b[o] + sum(
            W[o, c, i, j] * x[c, stride * t + i - 1, 2 * m + j - 1]
            for c, i, j in np.ndindex(channels, 3, 3)
            if 0 <= stride * t + i - 1 < T and 0 <= 2 * m + j - 1 < M
        )
    return np.maximum(found, 0)


@pytest.mark.parametrize(("each", "strides"), [(1, (1, 1)), (2, (2, 1)), (4, (2, 2))])
def test_the_vectors_are_those_of_slow_loops(each, strides):
    made, (row,) = module(each), rows(3, each=each)
    x = row.astype(np.float64).reshape(1, -1, MELS)
    for convolution, stride in zip(made.convolutions, strides):
        x = slow(x, convolution, stride)
    assert x.shape[1] == 3  # elements
    flat = torch.tensor(x.transpose(1, 0, 2).reshape(3, -1), dtype=torch.float32)
    close(made(collate([row])).x[0], F.linear(flat, made.output.weight, made.output.bias), 1e-4)


@pytest.mark.parametrize("each", [1, 2, 4])
def test_what_lies_in_the_padding_is_never_seen(each):
    part, made = collate(rows(4, 2, each=each)), module(each)
    expected = made(part).x[1, :2]
    part["frames"][1, 2:] = 1e6
    close(made(part).x[1, :2], expected)


# ----------------------------------------------------------------------------------------------------------- training


def drawn(seed: int, frames: torch.Tensor, keys: torch.Tensor | None, how: Augment, shift: float = 0.0):
    with drawn_from(seed):
        return augmented(frames, keys, how, shift, RATE, frames.shape[-1])


def test_nothing_is_changed_where_nothing_is_asked_for():
    part = collate(rows(4, 2))
    frames, keys = drawn(1, part["frames"], part["keys"], STILL)
    assert frames.equal(part["frames"]) and keys is part["keys"]


def test_evaluation_reads_sounds_as_they_are():
    part, made = collate(rows(4, 2)), module(augment=Augment())
    assert made(part).x.equal(made(part).x)
    assert made.train()(part).x.shape[0] == 2


def test_the_same_seed_changes_a_sound_in_the_same_way():
    part, how = collate(rows(9, 4)), Augment(speed=0.3, pitch=0.5, masks=2, band=0.5, stretch=0.5)
    first, again, other = (drawn(seed, part["frames"], part["keys"], how, 3.0)[0] for seed in (1, 1, 2))
    assert first.equal(again)
    assert first.shape != other.shape or not first.equal(other)


@given(st.integers(0, 10_000), st.integers(1, 4), st.floats(0.0, 0.9))
def test_masks_hide_no_more_than_they_may_and_only_what_is_there(seed, masks, share):
    lengths = torch.tensor([20, 7, 1])
    with drawn_from(seed):
        hidden = _hidden(lengths, share, masks, 25, torch.zeros(3, 1))
    assert hidden.shape == (3, 25)
    for row, length in zip(hidden, lengths.tolist()):
        assert not row[length:].any()
        assert row.sum() <= masks * (share * length + 1)


def test_bands_and_stretches_are_both_hidden():
    frames = torch.ones(1, 50, 2, 20)
    found, _ = drawn(3, frames, None, STILL.replace(masks=3, band=0.5, stretch=0.5))
    silent = (found == 0)[0].flatten(0, 1)
    assert silent.all(0).sum() > 0 and silent.all(1).sum() > 0  # whole bands, whole frames
    assert 0 < silent.float().mean() < 1


@given(st.integers(0, 10_000), st.lists(st.integers(1, 30), min_size=1, max_size=4), st.sampled_from([1, 2, 4]))
def test_faster_sounds_are_shorter_and_every_row_keeps_an_element(seed, lengths, each):
    S = max(lengths)
    with drawn_from(seed):
        x, after = _moved(torch.ones(len(lengths), S * each, 2), torch.tensor(lengths), each, 0.4, 0.0)
    assert x.shape[1] == each * int(after.max())
    for before, now in zip(lengths, after.tolist()):
        assert now >= 1 and before / 1.4 - 0.51 <= now <= before / 0.6 + 0.51
    for row, now in zip(x, after.tolist()):
        assert (row[: now * each] == 1).all() and not row[now * each :].any()


def test_a_moved_sound_is_read_between_its_frames():
    ramp = torch.arange(40.0)[None, :, None]
    with drawn_from(4):
        x, after = _moved(ramp, torch.tensor([40]), 1, 0.4, 0.0)
    n = int(after)
    assert n != 40
    expected = ((torch.arange(n) + 0.5) * 40 / n - 0.5).clamp(0, 39)
    close(x[0, :, 0], expected, 1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_a_shifted_sound_leaves_silence_behind(seed):
    with drawn_from(seed):
        x, after = _moved(torch.ones(1, 40, 1), torch.tensor([40]), 1, 0.0, 8.0)
    silent = int((x == 0).sum())
    assert int(after) == 40 and silent <= 9
    assert silent == 0 or not x[0, 0].any() or not x[0, -1].any()


@pytest.mark.parametrize(("before", "after"), [(300, 450), (1000, 500), (2000, 3000)])
def test_a_raised_tone_sounds_like_the_higher_one(before, after):
    def peak(frames: torch.Tensor) -> torch.Tensor:
        return frames[0, 2:-2].mean(0).argmax()

    filters = mel_filters(RATE, 1024, 40)
    moments = torch.arange(RATE // 4) / RATE
    low, high = (log_mel((2 * torch.pi * f * moments).sin(), filters, 800, 160)[None] for f in (before, after))
    raised = _raised(low - low.mean(), torch.tensor([after / before]), RATE)
    assert raised.shape == low.shape and peak(raised) == peak(high) != peak(low)


def test_only_rows_whose_ratio_is_one_stay_as_they_are():
    (x,) = randoms((3, 5, 20))
    same, up, down = _raised(x, torch.tensor([1.0, 1.3, 0.7]), RATE)
    close(same, x[0], 1e-4)
    assert not up.allclose(x[1]) and not down[:, -1].any()  # from above the highest band nothing is known


def test_every_weight_learns_in_training_whatever_is_hidden():
    made = module(4, Augment()).train()
    (frames,) = randoms((3, 9, 4, MELS))
    x = made({"frames": frames}).x
    no_gradient_is_missing(made, (x * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))).sum())


@pytest.mark.parametrize("bands", [0, MELS - 2])
@pytest.mark.parametrize("each", [1, 2, 4])
def test_pitch_is_a_convolution_of_its_own_beside_the_bands_or_alone(each, bands):
    made = stirred(SoundInput(Settings(subsampling=each, channels=3, augment=STILL), D, SoundSizes(bands, True))).eval()
    part = collate([row[..., : bands + 2] for row in rows(4, 3, each=each)])
    found, given = made(part).x, part["frames"][1, :3].flatten(0, 1)
    melody, W = F.pad(given[:, bands:], (0, 0, each, each)), made.melody.weight  # (frames, 2), (D, 2, 3 each)
    expected = torch.stack(
        [torch.einsum("ti,dit->d", melody[each * s : each * (s + 3)], W) + made.melody.bias for s in range(3)]
    )
    if bands:
        made.melody = None
        alone = dict(part, frames=part["frames"][..., :bands])
        expected = expected + made(alone).x[1, :3]
    close(found[1, :3], expected, 1e-4)


def test_what_lies_in_the_padding_of_the_pitch_is_never_seen_and_all_of_it_learns():
    made = stirred(SoundInput(Settings(subsampling=2, channels=3, pitch="beside"), D, SoundSizes(MELS - 2, True)))
    part = collate(rows(4, 2))
    expected = made.eval()(part).x[1, :2]
    no_gradient_is_missing(made.train(), (made(part).x * torch.arange(D).sin()).sum())
    part["frames"][1, 2:] = 1e6
    close(made.eval()(part).x[1, :2], expected)


def test_the_pitch_stays_what_it_is_where_the_bands_are_raised_and_hidden():
    how, frames = STILL.replace(pitch=1.0, masks=3, band=0.9, stretch=0.0), collate(rows(9))["frames"]
    with drawn_from(5):
        found, _ = augmented(frames, None, how, 0.0, RATE, MELS - 2)
    assert found[..., -2:].equal(frames[..., -2:]) and not found[..., :-2].allclose(frames[..., :-2])


def test_the_number_of_bands_follows_the_rate():
    assert Settings(rate=8_000).bands == 40 and Settings().bands == 80 and Settings(mels=23).bands == 23
    assert Settings(pitch="beside").bands == 80 and Settings(pitch="alone").bands == 0
