"""Sound as vectors: log-mel features, and another sampling rate, written out.

A frame is a short stretch of samples, seen through a window; its vector is how loud it is in each of some bands, which
are as wide as the ear hears them: narrow below, wide above.
"""

import functools
import math
from fractions import Fraction

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

FLOOR = 1e-6
"""What is added before the logarithm, so that silence is no minus infinity."""
CROSSINGS, ROLLOFF, BETA = 32, 0.95, 8.0
"""Of the resampling filter: zeros on either side, where it begins to fall, and the shape of its Kaiser window."""
LARGEST_TERM = 1000
"""A ratio of rates is taken as a fraction of numbers up to this: 44101 to 16000 is less than a millionth off."""
AT_ONCE = 2048
"""Frames that are transformed together: they stay in the cache."""


def mel(hertz: Float[Tensor, "*N"]) -> Float[Tensor, "*N"]:
    """m = 2595 log₁₀(1 + f / 700): equal steps of m sound equally far apart (O'Shaughnessy 1987)."""
    return 2595 * torch.log10(1 + hertz / 700)


def hertz(mels: Float[Tensor, "*N"]) -> Float[Tensor, "*N"]:
    """The inverse of `mel`."""
    return 700 * (10 ** (mels / 2595) - 1)


def points_for(window: int) -> int:
    """The size of the Fourier transform of so many samples: the next power of two."""
    return 1 << max(1, window - 1).bit_length()


def mel_filters(rate: int, points: int, mels: int) -> Float[Tensor, "P mels"]:
    """Triangles over the P = points / 2 + 1 frequencies of a transform, each from one neighbour's peak to the other's.

    The peaks lie evenly on the mel scale from 0 to half the rate.
    """
    edges = hertz(torch.linspace(0, float(mel(torch.tensor(rate / 2))), mels + 2, dtype=torch.float64))
    frequency = torch.linspace(0, rate / 2, points // 2 + 1, dtype=torch.float64)[:, None]
    rising = (frequency - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequency) / (edges[2:] - edges[1:-1])
    return torch.minimum(rising, falling).clamp(min=0).float()


def bands_at(ratio: Float[Tensor, " B"], rate: int, mels: int) -> Float[Tensor, "B mels"]:
    """Where between the bands lies what each hears once all frequencies are multiplied: band m, at f, hears f / ratio.

    The first of `mel_filters` is 0; below it is −1, the frequency 0.
    """
    step = float(mel(torch.tensor(rate / 2))) / (mels + 1)
    own = hertz(torch.arange(1, mels + 1, device=ratio.device) * step)
    return mel(own / ratio[:, None]) / step - 1


def frames_in(samples: int, hop: int) -> int:
    """Frames of so many samples: one for every hop that has begun."""
    return -(-samples // hop)


def log_mel(
    samples: Float[Tensor, " N"], filters: Float[Tensor, "P mels"], window: int, hop: int
) -> Float[Tensor, "T mels"]:
    """ln(|X|² · filters + 10⁻⁶), where X is the spectrum of a frame under a Hann window.

    Frame t is centred on the hop t … t + 1; beyond both ends there is silence.
    """
    frames, points = frames_in(len(samples), hop), 2 * (len(filters) - 1)
    left = (window - hop) // 2  # below 0 where hops are longer than the window: the first frame begins behind the start
    right = max(0, (frames - 1) * hop + window - left - len(samples))
    padded = F.pad(samples, (max(left, 0), right))[max(-left, 0) :]
    shape = torch.hann_window(window, dtype=samples.dtype, device=samples.device)
    cut = padded.unfold(0, window, hop)[:frames]
    found = [_power(rows * shape, points) @ filters.to(samples) for rows in cut.split(AT_ONCE)]
    return torch.log(torch.cat(found) + FLOOR)


def _power(frames: Float[Tensor, "T W"], points: int) -> Float[Tensor, "T P"]:
    """The squared size of every frequency of each frame."""
    parts = torch.view_as_real(torch.fft.rfft(frames, points))
    return parts.square().sum(-1)


def resampled(samples: Float[Tensor, " N"], old: int, new: int) -> Float[Tensor, " M"]:
    """The same sound at another number of samples a second: y(j) = Σᵢ x(i) h(j · old / new − i).

    h is a sinc that lets through what both rates can hold, under a Kaiser window (Smith 2002, digital audio
    resampling). Outputs that lie equally between two samples share a row of a filter bank.
    """
    if old == new:
        return samples
    bank, step, reach = _bank(old, new)
    phases, wanted = len(bank), resampled_length(len(samples), old, new)
    blocks = -(-wanted // phases)
    short = (blocks - 1) * step + bank.shape[1] - reach - len(samples)
    padded = F.pad(samples, (reach, max(0, short)))
    found = F.conv1d(padded[None, None], bank.to(samples)[:, None], stride=step)  # (1, phases, blocks)
    return found[0].T.flatten()[:wanted]


def resampled_length(samples: int, old: int, new: int) -> int:
    """How many samples `resampled` gives."""
    exact = _ratio(old, new)
    return -(-samples * exact.numerator // exact.denominator)


def _ratio(old: int, new: int) -> Fraction:
    """new / old, as a fraction whose terms are not too large to make a filter bank of."""
    if new > old:
        return 1 / Fraction(old, new).limit_denominator(LARGEST_TERM)
    return Fraction(new, old).limit_denominator(LARGEST_TERM)


@functools.lru_cache(maxsize=32)
def _bank(old: int, new: int) -> tuple[Float[Tensor, "P K"], int, int]:
    """(for each of P phases the weights of K samples, samples from one block of P outputs to the next, reach)"""
    exact = _ratio(old, new)
    phases, step = exact.numerator, exact.denominator
    cutoff = min(1.0, phases / step) * ROLLOFF
    reach = math.ceil(CROSSINGS / cutoff)
    here = torch.arange(phases, dtype=torch.float64)[:, None] * step / phases
    there = torch.arange(-reach, step + reach, dtype=torch.float64)
    distance = here - there
    shape = (1 - (distance / reach).square()).clamp(min=0).sqrt()
    window = torch.special.i0(BETA * shape) / torch.special.i0(torch.tensor(BETA, dtype=torch.float64))
    inside = distance.abs() <= reach
    return (cutoff * torch.sinc(cutoff * distance) * window * inside).float(), step, reach
