"""Cost over length: seconds and peak memory of one sequence, forward and backward, by what mixes its positions.

    python -m benchmarks.attention.length [--lengths 128 256 … 8192] [--kinds attention window convolution]

An encoder of width 256 and 3 layers that learns, with its dropout. Each figure is of a process of its own. Writes
results/attention_length.json and a picture of both beside it.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.attention.picture import Curve, log_log

KINDS: dict[str, Any] = {
    "attention": "attention",
    "window": {"kind": "attention", "window": 256},
    "convolution": "convolution",
    "recurrent": "recurrent",
    "ssru": "ssru",
}
LENGTHS = [128, 256, 512, 1024, 2048, 4096, 8192]
GB = 1e9


def measured(kind: str, T: int, threads: int) -> dict[str, float]:
    """Seconds of one update and the peak of memory of this process."""
    import torch

    from headway.functional.masks import Mask
    from headway.layers.encoder import Encoder, EncoderSettings
    from headway.machine import peak_memory, set_up
    from headway.training.settings import MachineSettings

    set_up(MachineSettings(threads=threads, precision="float32", device="cpu"))
    encoder = Encoder(EncoderSettings(width=256, layers=3, mixer=KINDS[kind])).train()
    x = torch.randn(1, T, 256)
    turns: list[float] = []
    while len(turns) < 3 or (sum(turns) < 1.0 and len(turns) < 20):
        encoder.zero_grad()
        start = time.perf_counter()
        encoder(x, Mask()).x.square().mean().backward()
        turns.append(time.perf_counter() - start)
    return {"seconds": statistics.median(turns[1:]), "GB": (peak_memory() or 0) / GB}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", nargs="+", type=int, default=LENGTHS)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.one[0], int(given.one[1]), given.threads)))
        return
    rows: list[dict[str, Any]] = []
    for kind in given.kinds:
        for T in given.lengths:
            command = [sys.executable, "-m", "benchmarks.attention.length", "--one", kind, str(T)]
            done = subprocess.run(
                [*command, "--threads", str(given.threads)], capture_output=True, text=True, check=True
            )
            rows.append({"kind": kind, "length": T, "threads": given.threads, **json.loads(done.stdout)})
            print(f"{kind:12} {T:5} {rows[-1]['seconds']:8.3f} s {rows[-1]['GB']:6.2f} GB", flush=True)

    from benchmarks.timing import record  # last: it imports torch, and a child begins as large as its parent

    path = record("attention_length", rows)
    for what, unit in (("seconds", "seconds an update"), ("GB", "gigabytes at the peak")):
        curves = [Curve(kind, [(r["length"], r[what]) for r in rows if r["kind"] == kind]) for kind in given.kinds]
        picture = path.with_name(f"attention_length_{'memory' if what == 'GB' else what}.svg")
        picture.write_text(log_log(curves, "positions", unit))
    print(f"kept in {path}, with two pictures")


if __name__ == "__main__":
    main()
