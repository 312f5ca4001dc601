"""Files of sound: what their header says, whether they are whole, their samples. libsndfile reads them (soundfile)."""

import struct
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.errors import DataError, MissingPackage, Where, file_name, printable

LOWEST, HIGHEST = 1_000, 768_000
"""Samples a second that a sound may have."""
CHANNELS = 64
BLOCK = 1 << 20
"""Samples that are looked at together, so that memory does not grow with the file."""
_ENDLESS = (0, 0xFFFFFFFF)
"""Sizes that programs write which do not know them yet."""


def header(path: Path, where: Where) -> tuple[int, int]:
    """(samples a second, samples of each channel). Raises DataError and MissingPackage."""
    told = _header(path, _stamp(path))
    if isinstance(told, str):
        raise DataError(where, f"{file_name(path)} {told}")
    return told


def check(path: Path, where: Where) -> None:
    """Decode a file once from the first sample to the last. Raises DataError where it is cut short or damaged."""
    problem = _problem(path, _stamp(path))
    if problem:
        raise DataError(where, f"{file_name(path)} {problem}")


def digest(path: Path) -> str:
    """A hash of the file's bytes."""
    return _digest(path, _stamp(path))


def read(path: Path, start: int, stop: int, where: Where) -> NDArray[np.float32]:
    """Samples start … stop, the mean of all channels. Raises DataError."""
    soundfile = _soundfile()
    try:
        with soundfile.SoundFile(path) as file:
            file.seek(start)
            samples = file.read(stop - start, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise DataError(where, f"{file_name(path)} {_unread(error)}") from None
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(1)


def absurd_rate(rate: Any) -> str:
    return f"{rate:,} samples a second, and from {LOWEST:,} to {HIGHEST:,} are read"


def _soundfile() -> Any:
    try:
        import soundfile
    except ModuleNotFoundError:
        raise MissingPackage("soundfile", "sound", "reading sound") from None
    return soundfile


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when a file does."""
    told = path.stat()
    return told.st_size, told.st_mtime_ns


@lru_cache(maxsize=1 << 17)
def _header(path: Path, stamp: tuple[int, int]) -> tuple[int, int] | str:
    """(samples a second, samples of each channel), or what is wrong."""
    soundfile = _soundfile()
    try:
        with soundfile.SoundFile(path) as file:
            rate, frames, channels = file.samplerate, file.frames, file.channels
    except (soundfile.SoundFileError, OSError) as error:
        return _unread(error)
    if not LOWEST <= rate <= HIGHEST:
        return f"has {absurd_rate(rate)}"
    if channels > CHANNELS:
        return f"has {channels} channels, and at most {CHANNELS} are read"
    return (rate, frames) if frames > 0 else "holds no samples"


@lru_cache(maxsize=1 << 17)
def _problem(path: Path, stamp: tuple[int, int]) -> str:
    """What is wrong with a file's samples; empty where all is well."""
    soundfile = _soundfile()
    try:
        with soundfile.SoundFile(path) as file:
            promised, seen = file.frames, 0
            while len(block := file.read(BLOCK // file.channels, dtype="float32", always_2d=True)):
                if not np.isfinite(block).all():
                    bad = seen + int(np.flatnonzero(~np.isfinite(block).all(1))[0])
                    return (
                        f"holds a sample that is no finite number, {bad / file.samplerate:.3f} seconds after its begin"
                    )
                seen += len(block)
    except (soundfile.SoundFileError, OSError) as error:
        return _unread(error)
    missing = _missing_from_wav(path)
    if missing:
        return f"is cut short: {missing:,} bytes that its header promises are missing"
    if seen < promised:
        return f"is cut short: its header promises {promised:,} samples, and there are {seen:,}"
    return ""


def _missing_from_wav(path: Path) -> int:
    """Bytes of samples that a RIFF header promises and the file does not hold; libsndfile passes over this."""
    with path.open("rb") as file:
        begin = file.read(12)
        if begin[:4] != b"RIFF" or begin[8:] != b"WAVE":
            return 0
        size, at = path.stat().st_size, 12
        while len(chunk := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", chunk)
            at += 8
            if name == b"data":
                return 0 if length in _ENDLESS else max(0, length - (size - at))
            at += length + length % 2
            file.seek(at)
    return 0


def _unread(error: Exception) -> str:
    said = printable(getattr(error, "error_string", "") or error)
    return f"is no sound that can be read ({said.rstrip('.')}); wav, flac, ogg and mp3 are, whatever their name"


@lru_cache(maxsize=1 << 17)
def _digest(path: Path, stamp: tuple[int, int]) -> str:
    total = blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            total.update(block)
    return total.hexdigest()
