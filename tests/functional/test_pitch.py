"""The pitch of a voice: against slow loops and all paths, for tones that are known, and without a voice."""

import itertools

import pytest
import torch

from comparing import close, randoms
from headway.functional.pitch import (
    LEAP,
    LOW,
    LOWEST,
    OCTAVE,
    OCTAVES,
    WINDOW,
    best_path,
    pitch,
    pitches,
    repeats,
)

RATE, HOP = 4_000, 40


def voice(hertz: torch.Tensor, rate: int = RATE, seconds: float = 0.4) -> torch.Tensor:
    """Six overtones of a pitch that goes evenly from the first to the last of those given."""
    count = int(rate * seconds)
    course = torch.lerp(hertz[0], hertz[-1], torch.arange(count) / count)
    phase = 2 * torch.pi * (course / rate).cumsum(0)
    return 0.1 * sum((k * phase).sin() / k for k in range(1, 7))  # type: ignore[return-value]


def test_pitches_go_up_evenly_by_ear():
    found = pitches()
    assert found[0] == LOWEST and len(found) == OCTAVE * OCTAVES + 1
    close(found[OCTAVE:] / found[:-OCTAVE], torch.full((len(found) - OCTAVE,), 2.0))


def test_likeness_is_that_of_slow_loops():
    (samples,) = randoms((330,), dtype=torch.float64)
    found = repeats(samples, RATE, HOP)
    assert found.shape == (9, len(pitches())) and found.abs().max() <= 1 + 1e-9
    window, longest = round(WINDOW * RATE), RATE / LOWEST
    reach = window + int(longest) + 2
    left = (reach - HOP) // 2
    for t, p in ((0, 3), (4, 40), (8, 72)):
        begin = t * HOP - left
        x = torch.tensor([float(samples[i]) if 0 <= i < 330 else 0.0 for i in range(begin, begin + reach)]).double()
        x = x - x.mean()

        def alike(lag: int, x: torch.Tensor = x) -> torch.Tensor:
            here, there = x[:window], x[lag : lag + window]
            return (here * there).sum() / (here.square().sum() * there.square().sum()).sqrt()

        period = RATE / float(pitches()[p])
        share = period - int(period)
        close(found[t, p], (1 - share) * alike(int(period)) + share * alike(int(period) + 1), 1e-5)


def test_the_path_is_the_cheapest_of_all():
    (likeness,) = randoms((4, 6), dtype=torch.float64)

    def cost(path: tuple[int, ...]) -> float:
        own = sum(1 - float(likeness[t, p]) + LOW * (1 - p / 5) for t, p in enumerate(path))
        return own + sum(LEAP * ((j - i) / OCTAVE) ** 2 for i, j in itertools.pairwise(path))

    best = min(itertools.product(range(6), repeat=4), key=cost)
    assert tuple(best_path(likeness).tolist()) == best


@pytest.mark.parametrize("hertz", [90.0, 150.0, 280.0, 460.0])
def test_a_tone_is_found_within_half_a_step(hertz):
    likeness = repeats(voice(torch.tensor([hertz]), 16_000), 16_000, 160)
    found = pitches()[best_path(likeness)][8:-8]
    assert ((found / hertz).log2().abs() < 0.75 / OCTAVE).all() and likeness.amax(1)[8:-8].min() > 0.9


def test_a_voice_that_rises_an_octave_rises_an_octave_however_high_it_is():
    low, high = (pitch(voice(torch.tensor([f, 2 * f]), 16_000), 16_000, 160)[6:-6] for f in (100.0, 200.0))
    assert (low[:, 1] > 0.8).all() and low[-1, 0] - low[0, 0] > 0.6
    close(low[:, 0], high[:, 0], 0.15)


def test_noise_and_silence_are_no_voice():
    (noise,) = randoms((8_000,))
    assert pitch(0.1 * noise, 16_000, 160)[:, 1].mean() < 0.4
    for count in (1, 3, 500):
        found = pitch(torch.zeros(count), 16_000, 160)
        assert len(found) == -(-count // 160) and found.isfinite().all() and not found[:, 1].any()
