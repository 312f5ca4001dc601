"""How many seconds of sound become features in a second, on one core.

    python -m benchmarks.sound.features [--rounds 7] [--seconds 30] [--clock processor]

Prints for each step how many times faster than the sound itself it is: log-mel features of 16,000 samples a second (80
bands, 25 ms every 10 ms), the pitch of every frame, resampling from 44,100 samples a second, and reading, resampling
and features of a file together, without and with the pitch. `--clock processor` counts the time of this process only,
for a machine that others use too.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.timing import record, spread, take_turns
from headway.batch import Example
from headway.data.settings import DataSettings
from headway.data.sources.sound import SourceSound
from headway.functional.pitch import pitch
from headway.functional.sound import log_mel, mel_filters, points_for, resampled
from headway.inputs.sound import Settings
from headway.machine import set_up
from headway.training.settings import MachineSettings

RATE, STUDIO = 16_000, 44_100
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


def subjects(seconds: int, folder: Path) -> dict[str, Callable[[], float]]:
    """What is measured: each does its work on so many seconds of sound and returns how many these are."""
    import soundfile

    samples = {rate: 0.1 * torch.randn(rate * seconds) for rate in (RATE, STUDIO)}
    filters = mel_filters(RATE, points_for(400), 80)
    codec, with_pitch = SourceSound(Settings()), SourceSound(Settings(pitch="beside"))
    soundfile.write(folder / "noise.wav", samples[STUDIO].numpy(), STUDIO)
    opened = SourceSound.opened(Example(str(folder / "noise.wav")), DataSettings(max_seconds=seconds + 1.0)).source

    def timed(work: Callable[[], object]) -> Callable[[], float]:
        def run() -> float:
            work()
            return float(seconds)

        return run

    return {
        "log-mel": timed(lambda: log_mel(samples[RATE], filters, 400, 160)),
        "pitch": timed(lambda: pitch(samples[RATE], RATE, 160)),
        "resampling": timed(lambda: resampled(samples[STUDIO], STUDIO, RATE)),
        "file to rows": timed(lambda: codec.encode_all([opened])),
        "file to rows with pitch": timed(lambda: with_pitch.encode_all([opened])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    asked = parser.parse_args()
    set_up(MachineSettings(threads=1))
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        found = take_turns(subjects(asked.seconds, Path(folder)), asked.rounds, 1, clock=CLOCKS[asked.clock])
    for name, speeds in found.items():
        print(f"{name:24} {spread(speeds)} x real time ({asked.clock} clock)")
    rows = [{"what": name, "clock": asked.clock, "times_real_time": speeds} for name, speeds in found.items()]
    record("sound_features", rows)


if __name__ == "__main__":
    main()
