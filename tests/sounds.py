"""Invented sounds and vectors for tests: tones that rise or fall, written by libsndfile or byte by byte."""

import struct
from pathlib import Path

import numpy as np
import soundfile

RATE = 8_000


def glide(first: float, last: float, seconds: float = 0.2, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """A tone from one pitch to another, with a little noise."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = first + (last - first) * time / seconds
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return (0.4 * np.sin(2 * np.pi * np.cumsum(pitch) / rate) + 0.01 * noise).astype(np.float32)


def spoken(label: str, number: int) -> np.ndarray:
    """`up` or `down`, a little different for every number."""
    low, high, seconds = 300 + 10 * (number % 7), 900 + 15 * (number % 5), 0.12 + 0.01 * (number % 8)
    return glide(low, high, seconds, seed=number) if label == "up" else glide(high, low, seconds, seed=number)


def save(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def raw_wav(path: Path, samples: np.ndarray, rate: int = RATE, promised: int | None = None) -> Path:
    """A wav file of 16 bits whose header says what it likes."""
    data = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    size = len(data) if promised is None else promised
    form = struct.pack("<HHIIHH", 1, 1, rate, (2 * rate) % 2**32, 2, 16)
    head = b"RIFF" + struct.pack("<I", (36 + size) % 2**32) + b"WAVEfmt " + struct.pack("<I", 16) + form
    path.write_bytes(head + b"data" + struct.pack("<I", size) + data)
    return path


def glides(folder: Path, rows: int = 24) -> Path:
    """A folder of manifests: train, valid and test, each sound labelled `up` or `down`."""
    for part, (begin, count) in {"train": (0, rows), "valid": (100, 8), "test": (200, 8)}.items():
        lines = ["path\tlabel"]
        for number in range(begin, begin + count):
            label = ("up", "down")[number % 2]
            save(folder / "sounds" / f"{number}.wav", spoken(label, number))
            lines.append(f"sounds/{number}.wav\t{label}")
        (folder / f"{part}.tsv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder
