"""The sound that a client sends as the body of a request: decoded block by block, and never more than is allowed."""

import io
from typing import Any

import numpy as np

from headway.data.sources.sound import Sound
from headway.errors import MissingPackage, UsageError, printable
from headway.serve.limits import Refusal, refusal

SAMPLES = 1 << 24
"""Samples that a sound may have, whatever its length in seconds: 64 MiB once it is decoded."""
CHANNELS = 16
BLOCK = 1 << 18


def sound_of(body: bytes, seconds: float) -> Sound:
    """What was sent as a sound of at most so many seconds. Raises Refusal.

    What a header promises is not believed: a small file that unpacks to hours is left when it has become too long.
    """
    try:
        soundfile = package()
    except MissingPackage as error:
        raise refusal(error) from None
    try:
        with soundfile.SoundFile(io.BytesIO(body)) as file:
            rate, channels = file.samplerate, file.channels
            if channels > CHANNELS:
                raise Refusal("channels", found=channels, allowed=CHANNELS)
            most = min(int(seconds * rate), SAMPLES)
            if file.frames > most and file.frames < 1 << 62:
                raise _too_long(file.frames / rate, most / rate)
            blocks, total = [], 0
            while len(block := file.read(max(1, BLOCK // channels), dtype="float32", always_2d=True)):
                total += len(block)
                if total > most:
                    raise _too_long(total / rate, most / rate)
                blocks.append(block[:, 0] if channels == 1 else block.mean(1))
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        said = printable(getattr(error, "error_string", "") or error).rstrip(".")
        raise Refusal("no_sound", said) from None
    if not total:
        raise Refusal("empty_sound")
    try:
        return Sound.of(np.concatenate(blocks), rate)
    except UsageError as error:
        raise refusal(error) from None


def _too_long(found: float, allowed: float) -> Refusal:
    return Refusal("sound_length", found=round(found, 1), allowed=round(allowed, 1))


def package() -> Any:
    """The package that reads sound. Raises MissingPackage."""
    try:
        import soundfile
    except ModuleNotFoundError:
        raise MissingPackage("soundfile", "sound", "reading sound") from None
    return soundfile
