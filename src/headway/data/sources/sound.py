"""Sound files, or parts of them, as rows of log-mel frames: wav, flac, ogg, mp3, of any sampling rate.

A part of a file is written behind its name as a media fragment, `talk.wav#t=1.5,3` (seconds); manifests with the
columns `start` and `end` are read as that. Several channels are mixed down to one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from headway.batch import NOWHERE, Example, Part, Value
from headway.data.settings import DataSettings
from headway.data.sources import SourceCodec
from headway.data.sources import _recordings as recordings
from headway.data.sources._arrays import Arrays, found, moments, steady
from headway.errors import DataError, UsageError, Where, printable
from headway.functional.pitch import pitch
from headway.functional.sound import frames_in, log_mel, mel_filters, points_for, resampled, resampled_length
from headway.inputs import sound as sound_input

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif")
NO_TAGS = (
    "tag gives a label to every element, and those of a sound are stretches of it that no file labels: cut the sound "
    "into the parts that have labels (columns start and end) and classify those, or give vectors"
)
_FRAGMENT = re.compile(r"#t=([^#/\\]*)$")


@dataclass(frozen=True, repr=False, eq=False)
class Sound(Value):
    """Samples of a file, or of an array, from `start` to `stop`.

    It is as long as it has hundredths of a second, whatever the settings of a model are; the rows that a codec makes of
    it are as long as the encoder has elements.

    name      what it is called, for people
    rate      samples a second
    file      the file, where it is one; samples otherwise
    """

    name: str
    rate: int
    start: int
    stop: int
    file: Path | None = None
    samples: NDArray[np.float32] | None = None
    where: Where = NOWHERE

    @classmethod
    def of(cls, samples: NDArray, rate: int, name: str = "a sound") -> "Sound":
        """Samples from -1 to 1 as a sound; of shape (samples, channels) they are mixed down. Raises UsageError."""
        array = np.asarray(samples)
        if array.ndim not in (1, 2) or not array.size or array.dtype.kind != "f":
            raise UsageError(
                f"a sound is an array of numbers from -1 to 1, (samples) or (samples, channels), and this is "
                f"{array.dtype} of shape {array.shape}"
            )
        mono = (array if array.ndim == 1 else array.mean(1)).astype(np.float32)
        if not np.isfinite(mono).all():
            raise UsageError("a sample of this sound is no finite number")
        if not recordings.LOWEST <= rate <= recordings.HIGHEST:
            raise UsageError(recordings.absurd_rate(rate))
        return cls(name, int(rate), 0, len(mono), samples=mono)

    def __len__(self) -> int:
        return -(-(self.stop - self.start) * 100 // self.rate)

    @property
    def seconds(self) -> float:
        return (self.stop - self.start) / self.rate

    @cached_property
    def _content(self) -> str:
        if self.file is not None:
            whole = recordings.digest(self.file)
        else:
            whole = blake2b(np.ascontiguousarray(self.samples).tobytes(), digest_size=16).hexdigest()
        return f"sound {whole} {self.start} {self.stop} {self.rate}"

    def content(self) -> str:
        """A hash of the file's bytes (or of the samples), and which part of it this is."""
        return self._content

    def read(self) -> NDArray[np.float32]:
        """The samples, of one channel. Raises DataError."""
        if self.file is None:
            assert self.samples is not None
            return self.samples[self.start : self.stop]
        return recordings.read(self.file, self.start, self.stop, self.where)

    def __str__(self) -> str:
        return self.name


class SourceSound(SourceCodec):
    """Log-mel frames, `subsampling` of them an element."""

    def __init__(self, settings: sound_input.Settings, state: Mapping[str, Any] | None = None):
        self.settings = settings
        self.window, self.hop = round(settings.window * settings.rate), round(settings.hop * settings.rate)
        if self.window < 2 or self.hop < 1:
            raise UsageError("model.input.window and hop hold no sample at this model.input.rate: make them longer")
        self.filters = mel_filters(settings.rate, points_for(self.window), settings.bands)
        if not self.filters.any(0).all():
            raise UsageError(
                f"model.input.mels {settings.bands} is more than frames of {self.window} samples can tell apart at "
                f"{settings.rate:,} samples a second: take fewer, or a longer model.input.window"
            )
        self._use(**(state or {}))
        self._fitted: dict[str, NDArray[np.float16]] = {}

    def _use(self, mean: Sequence[float] = (), spread: Sequence[float] = (), **_: Any) -> None:
        self.normal = (np.array(mean, np.float32), np.array(spread, np.float32)) if len(mean) else None

    @classmethod
    def made(cls, data: DataSettings, settings: Any, state: Mapping[str, Any] | None = None) -> "SourceSound":
        return cls(settings, state)

    @classmethod
    def recognizes(cls, example: Example) -> bool:
        source = example.source
        return isinstance(source, Sound) or (
            isinstance(source, str) and _FRAGMENT.sub("", source).lower().endswith(SUFFIXES)
        )

    @classmethod
    def opened(cls, example: Example, data: DataSettings) -> Example:
        if data.task == "tag":
            raise UsageError(NO_TAGS)
        source = example.source
        if isinstance(source, str):
            source = _named(source, example.where)
        if not isinstance(source, Sound):
            raise DataError(example.where, f"a sound is expected: a file's name, and not {printable(source)}")
        if source.seconds > data.max_seconds:
            raise DataError(
                example.where,
                f"{source} is {source.seconds:,.1f} seconds long, and data.max_seconds is {data.max_seconds:g}; raise "
                "it, or cut the sound into parts (columns start and end)",
            )
        if source.file is not None:
            recordings.check(source.file, example.where)
        return replace(example, source=source)

    @property
    def labelled(self) -> str | None:
        return NO_TAGS

    @property
    def sizes(self) -> sound_input.SoundSizes:
        return sound_input.SoundSizes(self.settings.bands, self.settings.pitch != "none")

    @property
    def told(self) -> str:
        settings = self.settings
        every = settings.hop * settings.subsampling * 1000
        bands = [f"{settings.bands} mel bands"] * (settings.bands > 0) + ["the pitch"] * (settings.pitch != "none")
        return f"frames: {' and '.join(bands)} of {settings.rate:,} samples a second, an element every {every:g} ms"

    def fit(self, sources: Sequence[Sound], together: Sequence[Any] = ()) -> None:
        if self.settings.normalize == "global":
            self._fitted = {source.content(): self._row(source) for source in sources}
            mean, spread = moments(self._fitted.values())
            self._use(mean.tolist(), spread.tolist())

    def lengths(self, sources: Sequence[Sound]) -> list[int]:
        return [self._elements(source) for source in sources]

    def _elements(self, source: Sound) -> int:
        samples = resampled_length(source.stop - source.start, source.rate, self.settings.rate)
        return -(-frames_in(samples, self.hop) // self.settings.subsampling)

    def elements(self, source: Sound) -> tuple[str, ...]:
        """The second at which each begins."""
        every = self.hop * self.settings.subsampling / self.settings.rate
        return tuple(f"{number * every:.2f}" for number in range(self._elements(source)))

    def encode_all(self, sources: Sequence[Sound]) -> list[NDArray[np.float16]]:
        rows = []
        for source in sources:
            known = self._fitted.pop(source.content(), None) if self._fitted else None
            rows.append(self._row(source) if known is None else known)
        return rows

    def _row(self, source: Sound) -> NDArray[np.float16]:
        """(elements, frames each, numbers); the last frame is repeated where it takes more to fill an element."""
        settings, samples = self.settings, torch.from_numpy(source.read())
        with torch.inference_mode():
            heard = resampled(samples, source.rate, settings.rate)
            told = [self._bands(heard)] if settings.bands else []
            if settings.pitch != "none":
                told.append(pitch(heard, settings.rate, self.hop).numpy())
        frames = np.concatenate(told, 1)
        each = self.settings.subsampling
        frames = np.pad(frames, ((0, -len(frames) % each), (0, 0)), "edge")
        return frames.astype(np.float16).reshape(-1, each, frames.shape[1])

    def _bands(self, heard: torch.Tensor) -> NDArray[np.float32]:
        """(frames, bands)"""
        frames = log_mel(heard, self.filters, self.window, self.hop).numpy()
        return (frames - frames.mean(0)) / steady(frames.std(0)) if self.settings.normalize == "utterance" else frames

    def rows(self, pieces: Sequence[NDArray]) -> Arrays:
        return Arrays(pieces)

    def collate(self, rows: Sequence[NDArray]) -> Part:
        return sound_input.collate(rows, self.normal)

    def state(self) -> dict[str, Any]:
        mean, spread = ([], []) if self.normal is None else (each.tolist() for each in self.normal)
        return {"bands": self.settings.bands, "mean": mean, "spread": spread}


def _named(source: str, where: Where) -> Sound:
    """The sound of a file's name, with or without a fragment. Raises DataError."""
    part = _FRAGMENT.search(source)
    path = found(source if part is None else source[: part.start()], where)
    rate, frames = recordings.header(path, where)
    start, stop = 0, frames
    if part is not None:
        start, stop = _region(part[1], rate, frames, source, where)
    return Sound(source, rate, start, stop, path, where=where)


def _region(text: str, rate: int, frames: int, source: str, where: Where) -> tuple[int, int]:
    """The first sample and the one behind the last of `1.5,3` (seconds; either may be left out)."""
    begin, _, end = text.partition(",")
    try:
        start = round(Fraction(begin.strip() or "0") * rate)
        stop = round(Fraction(end.strip()) * rate) if end.strip() else frames
    except (ValueError, ZeroDivisionError):
        raise DataError(
            where, f"{printable(source)}: start and end are seconds like 1.5, and not {printable(text)!r}"
        ) from None
    if not 0 <= start < stop:
        raise DataError(where, f"{printable(source)}: from {begin or 0} to {end or 'the end'} seconds there is nothing")
    if start >= frames or stop > frames + rate // 10:  # tools that write manifests round
        raise DataError(
            where, f"{printable(source)}: it ends after {frames / rate:.3f} seconds, before what was asked for"
        )
    return start, min(stop, frames)
