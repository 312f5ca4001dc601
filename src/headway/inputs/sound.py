"""Sound: how loud each band of frequencies is, frame by frame, and a small convolution that joins frames to elements.

An element is `subsampling` frames of (as a rule) 10 ms: what the encoder attends over, what a batch is counted in, and
what a decoder that writes all at once has to place its tokens on. In training sounds are made a little faster or
slower, higher or lower, moved, and parts of them hidden (SpecAugment, Park et al. 2019). Features are computed once:
speed is changed by interpolating between frames, so that the pitch stays, and pitch by interpolating between bands, as
if by another voice (Jaitly & Hinton 2013).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field
from torch import Tensor, nn

from headway.batch import Part
from headway.functional.masks import Mask
from headway.functional.sound import bands_at
from headway.inputs import Input, Vectors
from headway.inputs._padding import padded
from headway.kernels.dropout import generator_for
from headway.settings import Branch, Count, Rate


def _whole(value: Any) -> Any:
    """A number of the command line, which a choice among numbers does not read by itself."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class Augment(Branch):
    masks: Annotated[int, Field(ge=0)] = 2
    "Bands of frequencies that are hidden in training, and as many stretches of time; 0 for none."
    band: Rate = 0.2
    "The widest hidden band, as a share of all bands."
    stretch: Rate = 0.1
    "The longest hidden stretch, as a share of the sound."
    speed: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    "How much faster or slower a sound may get."
    pitch: Annotated[float, Field(ge=0, le=2)] = 0.1
    "Octaves by which all its frequencies may be raised or lowered."
    shift: Annotated[float, Field(ge=0)] = 0.03
    "Seconds by which it may begin earlier or later."


class Settings(Branch):
    rate: Annotated[int, Field(ge=1_000)] = 16_000
    "Samples a second; sounds of another rate are resampled."
    mels: Count | None = None
    "Bands of frequencies; 40 up to 8,000 samples a second and 80 above where none are given."
    window: Annotated[float, Field(gt=0, le=1)] = 0.025
    "Seconds that a frame looks at."
    hop: Annotated[float, Field(gt=0, le=1)] = 0.01
    "Seconds from one frame to the next."
    pitch: Literal["none", "beside", "alone"] = "none"
    "Whether each frame is told how high and how voiced it is: not, beside the bands, or without them."
    normalize: Literal["utterance", "global", "none"] = "utterance"
    "Mean and spread of every band are made 0 and 1: of each sound by itself, or of the training part."
    subsampling: Annotated[Literal[1, 2, 4], BeforeValidator(_whole)] = 4
    "Frames that become one element."
    channels: Count = 32
    "Channels of the two convolutions that join frames."
    augment: Augment = Augment()
    "How sounds are changed in training."

    @property
    def bands(self) -> int:
        """Bands of frequencies that a frame has; none where only the pitch is told."""
        return 0 if self.pitch == "alone" else self.mels or (40 if self.rate <= 8_000 else 80)


PITCH = 2
"""Numbers that tell the pitch: how many octaves above the middle of the sound, and how much is voice."""


@dataclass(frozen=True)
class SoundSizes:
    """How many bands a frame has, and whether its pitch stands behind them."""

    bands: int
    pitch: bool = False


def collate(rows: Sequence[NDArray], normal: tuple[NDArray, NDArray] | None = None) -> Part:
    """Rows of (elements, frames each, numbers) as one part.

    frames   (B, S, frames each, bands and pitch), 0 behind the shorter rows
    keys     (B, S) which elements are real; left out where all are
    normal   mean and spread of every band, where rows do not have 0 and 1 already
    """
    return padded(rows, "frames", normal)


class SoundInput(Input):
    """(B, S, r, numbers) frames -> (B, S, D): two convolutions over time and frequency, strides that halve both.

    The pitch has a convolution of its own, from the element's frames and as many to either side.
    """

    def __init__(self, settings: Settings, width: int, sizes: SoundSizes):
        super().__init__()
        self.augment, self.shift, self.rate = settings.augment, settings.augment.shift / settings.hop, settings.rate
        self.bands, r = sizes.bands, settings.subsampling
        C, strides = settings.channels, {1: (1, 1), 2: (2, 1), 4: (2, 2)}[r]
        if sizes.bands:
            self.convolutions = nn.ModuleList(
                nn.Conv2d(before, C, 3, stride=(stride, 2), padding=1) for before, stride in zip((1, C), strides)
            )
            self.convolutions.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # oneDNN is faster so
            self.output = nn.Linear(C * -(-sizes.bands // 4), width)
        self.melody = nn.Conv1d(PITCH, width, 3 * r, stride=r, padding=r) if sizes.pitch else None

    def forward(self, part: Part) -> Vectors:
        frames, keys = part["frames"], part.get("keys")
        if self.training:
            frames, keys = augmented(frames, keys, self.augment, self.shift, self.rate, self.bands)
        return Vectors(self._heard(frames, keys), Mask(keys))

    def _heard(self, frames: Tensor, keys: Tensor | None) -> Tensor:
        """(B, S, r, numbers) -> (B, S, D). A convolution looks beyond the end, and must find nothing there."""
        r, x = frames.shape[2], frames.flatten(1, 2)  # (B, S r, numbers)
        found = [self._spectrum(x[..., : self.bands], r, keys)] if self.bands else []
        if self.melody is not None:
            pitch = x[..., self.bands :] if keys is None else x[..., self.bands :] * _of_frames(keys, r)
            found.append(self.melody(pitch.transpose(1, 2)).transpose(1, 2))
        return found[0] if len(found) == 1 else found[0] + found[1]

    def _spectrum(self, x: Tensor, r: int, keys: Tensor | None) -> Tensor:
        """(B, S r, bands) -> (B, S, D)"""
        S = x.shape[1] // r
        x = x[:, None].to(memory_format=torch.channels_last)  # (B, 1, S r, bands)
        for convolution in self.convolutions:
            if keys is not None:
                x = x * _of_frames(keys, x.shape[2] // S)[:, None]
            x = convolution(x).relu()
        return self.output(x.transpose(1, 2).flatten(2))


def _of_frames(keys: Tensor, r: int) -> Tensor:
    """(B, S) -> (B, S r, 1): which frames are real, r to an element."""
    return keys.repeat_interleave(r, 1)[..., None]


# ------------------------------------------------------------------------------------------------------------ training


def augmented(
    frames: Tensor, keys: Tensor | None, how: Augment, shift: float, rate: int, bands: int
) -> tuple[Tensor, Tensor | None]:
    """(frames, keys) of sounds that are a little different from those given: (B, S, r, numbers) and (B, S).

    shift    frames by which a sound may begin earlier or later
    rate     samples a second, which say how high the bands are
    bands    numbers of a frame that are bands; what stands behind them is only moved and hidden with its frame
    """
    B, S, r, numbers = frames.shape
    lengths = torch.full((B,), S, device=frames.device) if keys is None else keys.sum(-1)
    x = frames.flatten(1, 2)
    if how.pitch and bands:
        raised = _raised(x[..., :bands], 2 ** (how.pitch * _uniform(1, x)[0]), rate)
        x = torch.cat([raised, x[..., bands:]], -1)
    if how.speed or shift:
        x, lengths = _moved(x, lengths, r, how.speed, shift)
        S = x.shape[1] // r
        keys = torch.arange(S, device=x.device) < lengths[:, None]
        keys = None if bool(keys.all()) else keys
    if how.masks:
        hidden = _hidden(torch.full_like(lengths, bands), how.band, how.masks, numbers, x)[:, None]
        x = x.masked_fill(hidden | _hidden(lengths * r, how.stretch, how.masks, S * r, x)[..., None], 0.0)
    return x.view(B, S, r, numbers), keys


def _raised(x: Tensor, ratio: Tensor, rate: int) -> Tensor:
    """(B, T, mels) with every frequency times its row's ratio; from above the highest band comes 0."""
    last = torch.full((len(x), 1), x.shape[2] - 1, device=x.device)
    return _between(x.transpose(1, 2), bands_at(ratio, rate, x.shape[2]), last).transpose(1, 2)


def _moved(x: Tensor, lengths: Tensor, r: int, speed: float, shift: float) -> tuple[Tensor, Tensor]:
    """(B, S r, mels) at another speed and another beginning, and (B) the elements that they then have.

    Frame j is read between the frames around (j + ½) · old / new − ½ + shift; outside the sound there is 0.
    """
    draw = _uniform(2, x)
    after = (lengths / (1 + speed * draw[0])).round().long().clamp(min=1) * (lengths > 0)
    frames = torch.arange(int(after.max()) * r, device=x.device)
    ratio = lengths / after.clamp(min=1)
    at = (frames + 0.5) * ratio[:, None] - 0.5 + shift * draw[1][:, None]  # (B, S' r)
    return _between(x, at, (lengths * r - 1)[:, None]), after


def _between(x: Tensor, at: Tensor, last: Tensor) -> Tensor:
    """(B, K, M) what x (B, N, M) has at the places (B, K), by straight lines; 0 before the first and behind the last.

    last    (B, 1) the place of the last that is there
    """
    outside = (at < -0.5) | (at > last + 0.5)
    at = at.clamp(min=0).minimum(last.clamp(min=0))
    below = at.floor().long()
    above = (below + 1).minimum(last.clamp(min=0))
    share = (at - below)[..., None]

    def rows(which: Tensor) -> Tensor:
        return x.gather(1, which[..., None].expand(-1, -1, x.shape[2]))

    return torch.lerp(rows(below), rows(above), share.to(x.dtype)).masked_fill(outside[..., None], 0.0)


def _hidden(lengths: Tensor, share: float, masks: int, size: int, like: Tensor) -> Tensor:
    """(B, size) True where one of so many masks lies, each up to a share of the row's length wide."""
    draw = (_uniform(2 * masks, like) + 1) / 2
    wide = draw[:masks] * share * lengths
    begin = draw[masks:] * (lengths - wide)
    at = torch.arange(size, device=like.device) + 0.5
    return ((at >= begin[..., None]) & (at < (begin + wide)[..., None])).any(0)


def _uniform(count: int, like: Tensor) -> Tensor:
    """(count, B) random numbers from -1 to 1, one for each row."""
    drawn = torch.rand(count, len(like), device=like.device, generator=generator_for(like))
    return 2 * drawn - 1
