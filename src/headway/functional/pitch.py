"""How high is a voice? Of every moment the period that the sound repeats itself with, along the most plausible path.

Normalized cross-correlation and the best path through it: Talkin 1995 (RAPT), Ghahremani et al. 2014, without their
second pass and their model of voicing.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

LOWEST, OCTAVE, OCTAVES = 70.0, 24, 3
"""Pitches that are told apart: from 70 Hz so many in an octave, over so many octaves (to 560 Hz)."""
WINDOW = 0.04
"""Seconds that are compared with what comes a period later; they hold two periods of the lowest voices."""
LEAP, LOW = 10.0, 0.05
"""What a path costs for a leap of an octave (its square counts), and for the lowest pitch and not the highest."""
QUIET = 1e-5
"""Of the mean square of a stretch: one that is quieter repeats nothing."""
AT_ONCE = 256
"""Frames that are transformed together: they stay in the cache."""


def pitches() -> Float[Tensor, " P"]:
    """The pitches that are told apart, in hertz."""
    return LOWEST * 2 ** (torch.arange(OCTAVE * OCTAVES + 1) / OCTAVE)


def repeats(samples: Float[Tensor, " N"], rate: int, hop: int) -> Float[Tensor, "T P"]:
    """How alike each frame is to what comes a period later, for the period of every pitch, at most 1.

    s(l) = Σ x(i) x(i + l) / √(Σ x(i)² Σ x(i + l)²) over a window, where x has mean 0; between whole periods a straight
    line. Frame t is centred on the hop t … t + 1; beyond both ends there is silence.
    """
    frames, window = -(-len(samples) // hop), round(WINDOW * rate)
    periods = rate / pitches().double()
    reach = window + math.ceil(float(periods[0])) + 1
    left = (reach - hop) // 2
    padded = F.pad(samples, (left, max(0, (frames - 1) * hop + reach - left - len(samples))))
    cut = padded.unfold(0, reach, hop)[:frames]
    return torch.cat([_repeats(rows, periods, window) for rows in cut.split(AT_ONCE)])


def _repeats(cut: Float[Tensor, "T R"], periods: Float[Tensor, " P"], window: int) -> Float[Tensor, "T P"]:
    """How alike the first window of each row is to that a period later."""
    reach = cut.shape[1]
    cut = cut - cut.mean(1, keepdim=True)
    points = 1 << (reach - 1).bit_length()  # no lag that is asked for reaches round the end
    near = torch.fft.rfft(cut[:, :window], points)
    products = torch.fft.irfft(torch.fft.rfft(cut, points) * near.conj(), points)[:, : reach - window + 1]
    energy = F.pad(cut.square(), (1, 0)).cumsum(1)
    later = energy[:, window:] - energy[:, :-window]  # of the window that begins at each lag
    found = products / (later[:, :1] * later).sqrt().clamp(min=QUIET * window)
    below = periods.long()
    return torch.lerp(found[:, below], found[:, below + 1], (periods - below).to(found))


def best_path(likeness: Float[Tensor, "T P"]) -> Int[Tensor, " T"]:
    """The pitch of every frame, by number: the path of least cost, 1 − s for a frame and LEAP · octaves² for a step."""
    T, P = likeness.shape
    place = torch.arange(P, dtype=likeness.dtype)
    leaps = LEAP * ((place[:, None] - place) / OCTAVE).square()
    own = 1 - likeness + LOW * (1 - place / (P - 1))
    cost, came = own[0], []
    for t in range(1, T):
        cost, before = (cost + leaps).min(1)  # leaps[i, j]: from j to i
        cost = cost + own[t]
        came.append(before)
    path = [cost.argmin()]
    for before in reversed(came):
        path.append(before[path[-1]])
    return torch.stack(path[::-1])


def pitch(samples: Float[Tensor, " N"], rate: int, hop: int) -> Float[Tensor, "T 2"]:
    """Of every frame how many octaves the voice is above the middle of the sound, and how much of it is voice.

    The middle is the mean over frames by the fourth power of their likeness, so that what is no voice hardly counts.
    """
    likeness = repeats(samples, rate, hop)
    path = best_path(likeness)
    voiced = likeness.gather(1, path[:, None])[:, 0].clamp(0, 1)
    octaves, weight = path / OCTAVE, voiced**4 + 1e-3
    return torch.stack([octaves - (octaves * weight).sum() / weight.sum(), voiced], 1)
