"""Log-mel features against the definition by slow loops, resampling against sines written down and against scipy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample_poly

from comparing import close
from headway.functional.sound import (
    FLOOR,
    frames_in,
    hertz,
    log_mel,
    mel,
    mel_filters,
    points_for,
    resampled,
    resampled_length,
)

# ------------------------------------------------------------------------------------------------------------ log-mel


def slow_filters(rate: int, points: int, mels: int) -> np.ndarray:
    """Triangles, one number after another."""
    top = 2595 * math.log10(1 + rate / 2 / 700)
    edges = [700 * (10 ** (top * i / (mels + 1) / 2595) - 1) for i in range(mels + 2)]
    table = np.zeros((points // 2 + 1, mels))
    for k in range(points // 2 + 1):
        f = k * rate / points
        for m in range(mels):
            low, peak, high = edges[m : m + 3]
            if low < f <= peak:
                table[k, m] = (f - low) / (peak - low)
            elif peak < f < high:
                table[k, m] = (high - f) / (high - peak)
    return table


def slow_log_mel(samples: np.ndarray, rate: int, window: int, hop: int, points: int, mels: int) -> np.ndarray:
    """The sums of the discrete Fourier transform, written out."""
    filters, rows = slow_filters(rate, points, mels), []
    left = (window - hop) // 2
    for t in range(math.ceil(len(samples) / hop)):
        power = np.zeros(points // 2 + 1)
        seen = [
            samples[i] * (0.5 - 0.5 * math.cos(2 * math.pi * n / window)) if 0 <= i < len(samples) else 0.0
            for n, i in enumerate(range(t * hop - left, t * hop - left + window))
        ]
        for k in range(len(power)):
            turned = [x * np.exp(-2j * math.pi * k * n / points) for n, x in enumerate(seen)]
            power[k] = abs(sum(turned)) ** 2
        rows.append(np.log(power @ filters + FLOOR))
    return np.array(rows)


@pytest.mark.parametrize(("length", "window", "hop", "mels"), [(70, 20, 8, 4), (8, 20, 8, 4), (1, 12, 12, 3)])
def test_the_features_are_those_of_the_definition(length, window, hop, mels):
    samples = np.random.default_rng(length).standard_normal(length)
    points = points_for(window)
    found = log_mel(torch.tensor(samples, dtype=torch.float32), mel_filters(800, points, mels), window, hop)
    expected = slow_log_mel(samples, 800, window, hop, points, mels)
    assert found.shape == (frames_in(length, hop), mels)
    close(found, torch.tensor(expected, dtype=torch.float32), 2e-4)


@given(st.integers(1, 400), st.integers(2, 40), st.integers(1, 40))
def test_a_frame_for_every_hop_that_has_begun(length, window, hop):
    filters = mel_filters(1000, points_for(window), 2)
    found = log_mel(torch.zeros(length), filters, window, hop)
    assert len(found) == frames_in(length, hop) == math.ceil(length / hop)
    close(found, torch.full_like(found, math.log(FLOOR)))  # silence is no minus infinity


@pytest.mark.parametrize(("rate", "mels"), [(8_000, 40), (16_000, 80), (44_100, 80), (1_000, 10)])
def test_no_band_of_the_usual_settings_is_deaf(rate, mels):
    filters = mel_filters(rate, points_for(round(0.025 * rate)), mels)
    assert (filters.sum(0) > 0).all() and filters.max() <= 1
    peaks = filters.argmax(0)
    assert (peaks.diff() >= 0).all()


def test_the_mel_scale_there_and_back():
    f = torch.tensor([0.0, 100.0, 1000.0, 8000.0], dtype=torch.float64)
    close(hertz(mel(f)), f)
    assert float(mel(torch.tensor(1000.0))) == pytest.approx(1000, abs=0.1)  # what the scale is built on


def test_a_tone_is_loudest_where_it_is():
    rate, window = 16_000, 400
    time = torch.arange(rate) / rate
    filters = mel_filters(rate, 512, 80)
    for pitch in (300.0, 1000.0, 4000.0):
        found = log_mel(torch.sin(2 * torch.pi * pitch * time), filters, window, 160)[50]
        centre = hertz(torch.linspace(0, float(mel(torch.tensor(rate / 2))), 82))[1 + int(found.argmax())]
        assert float(centre) == pytest.approx(pitch, rel=0.06)


@pytest.mark.parametrize(("window", "points"), [(2, 2), (200, 256), (256, 256), (400, 512), (1103, 2048)])
def test_transforms_are_of_the_next_power_of_two(window, points):
    assert points_for(window) == points


# --------------------------------------------------------------------------------------------------------- resampling

RATES = [(44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (22_050, 8_000), (11_025, 16_000), (16_000, 1_000)]


@pytest.mark.parametrize(("old", "new"), RATES)
def test_what_both_rates_can_hold_is_the_same_sound(old, new):
    pitch = 0.3 * min(old, new)
    before, after = np.arange(old // 4) / old, np.arange(new // 4) / new
    found = resampled(torch.tensor(np.sin(2 * np.pi * pitch * before), dtype=torch.float32), old, new)
    expected = np.sin(2 * np.pi * pitch * after)
    inside = slice(len(after) // 4, -len(after) // 4)
    close(found[: len(after)][inside], torch.tensor(expected[inside], dtype=torch.float32), 1e-3)


def test_what_the_new_rate_cannot_hold_is_gone():
    time = torch.arange(16_000, dtype=torch.float64) / 16_000
    found = resampled(torch.sin(2 * torch.pi * 6_000 * time), 16_000, 8_000)
    assert found[500:-500].abs().max() < 1e-4


@pytest.mark.parametrize(("old", "new"), RATES[:4])
def test_it_agrees_with_scipy(old, new):
    noise = np.random.default_rng(1).standard_normal(old // 8)
    smooth = np.convolve(noise, np.hanning(31 * max(1, old // new)), "same")
    ours = resampled(torch.tensor(smooth, dtype=torch.float32), old, new).numpy()
    common = math.gcd(old, new)
    theirs = resample_poly(smooth, new // common, old // common, window=("kaiser", 8.0))
    inside = slice(len(theirs) // 4, -len(theirs) // 4)
    assert np.abs(ours[: len(theirs)][inside] - theirs[inside]).max() < 5e-3 * np.abs(theirs).max()


@given(st.integers(1, 3000), st.sampled_from([*RATES, (44_101, 16_000), (7_999, 8_000), (16_000, 16_000)]))
def test_its_length_is_known_before(length, rates):
    found = resampled(torch.ones(length), *rates)
    assert len(found) == resampled_length(length, *rates)
    assert abs(len(found) - length * rates[1] / rates[0]) <= 1


def test_a_constant_stays_what_it_is():
    for old, new in [*RATES, (44_101, 16_000)]:
        found = resampled(torch.ones(old // 4), old, new)
        inside = found[len(found) // 3 : -len(found) // 3]
        assert (inside - 1).abs().max() < 1e-3
