"""Resident memory while ten million pairs are prepared and trained on, over time: under 2 GB, and flat.

    python -m benchmarks.memory.training --pairs 10000000 --minutes 5

Pairs are generated: some words, and the same words backwards with their letters turned round. The model is tiny, so
that what is measured is what the data take.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.memory.picture import over_time
from benchmarks.memory.watching import watched
from headway.machine import description

WORDS, SYLLABLES = 5_000, [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
AT_ONCE = 200_000
BOUND = 2_000
RESULTS = Path(__file__).parents[1] / "results"
READ = ["--data.task", "transduce", "--data.tokenizer", "word"]
TINY = {
    "model.encoder.layers": 1,
    "model.encoder.width": 32,
    "model.encoder.hidden": 64,
    "model.encoder.mixer.heads": 2,
    "machine.threads": 1,
}


def vocabulary() -> list[str]:
    """So many different words of two and three syllables."""
    count = len(SYLLABLES)
    return [SYLLABLES[i % count] + SYLLABLES[i // count % count] + SYLLABLES[i // 7 % count] for i in range(WORDS)]


def write_pairs(path: Path, pairs: int, seed: int) -> None:
    """A pair a line: 3 … 7 words drawn by Zipf's law, a tab, and what they become."""
    words = vocabulary()
    turned = [word[::-1] for word in words]
    random = np.random.Generator(np.random.PCG64(seed))
    chance = 1 / np.arange(1, WORDS + 1)
    steps = np.cumsum(chance / chance.sum())
    with open(path, "w", encoding="utf-8") as file:
        file.write("source\ttarget\n")
        for begin in range(0, pairs, AT_ONCE):
            lengths = random.integers(3, 8, min(AT_ONCE, pairs - begin))
            drawn = np.minimum(np.searchsorted(steps, random.random(int(lengths.sum()))), WORDS - 1).tolist()
            ends, lines, start = np.cumsum(lengths).tolist(), [], 0
            for end in ends:
                row, start = drawn[start:end], end
                lines.append(f"{' '.join([words[i] for i in row])}\t{' '.join([turned[i] for i in reversed(row)])}\n")
            file.writelines(lines)


def measured(folder: Path, pairs: int, minutes: float) -> dict[str, Any]:
    """Prepare, then train, both as commands of their own."""
    data, prepared, run = folder / "data", folder / "prepared", folder / "run"
    data.mkdir()
    for seed, (part, count) in enumerate({"train": pairs, "valid": 1_000, "test": 1_000}.items()):
        write_pairs(data / f"{part}.tsv", count, seed)
    headway = [sys.executable, "-m", "headway"]
    preparing = watched([*headway, "data", "prepare", str(data), "--out", str(prepared), *READ])
    sizes = {"text": _bytes(data), "prepared": _bytes(prepared)}
    options = [word for path, value in TINY.items() for word in (f"--{path}", str(value))]
    limit = [f"--training.time_limit={minutes}m", "--training.evaluate_every=2000"]
    training = watched([*headway, "train", str(prepared), "--out", str(run), *options, *limit])
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    told = {"bytes": sizes, "preparing": preparing, "training": training, "facts": results["facts"]}
    return {**told, "machine": description()}


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def summary(found: dict[str, Any]) -> dict[str, Any]:
    """Peaks, and how much resident memory grew over the second half of the updates."""
    told = {}
    for phase in ("preparing", "training"):
        samples = found[phase]["samples"]
        told[phase] = {f"peak_{kind}": max(one[kind] for one in samples) for kind in ("resident", "own", "mapped")}
    samples = found["training"]["samples"]
    half = [one["resident"] for one in samples[len(samples) // 2 :]]
    told["training"]["second_half"] = {"least": min(half), "most": max(half)}
    return told


def told_of(found: dict[str, Any], pairs: int) -> dict[str, Any]:
    """What is kept of a measurement: of the samples the highest of every few."""
    machine = {name: value for name, value in found["machine"].items() if name != "command"}
    phases = {
        phase: {"seconds": found[phase]["seconds"], "samples": thinned(found[phase]["samples"])}
        for phase in ("preparing", "training")
    }
    kept = {"bytes": found["bytes"], "facts": found["facts"], "summary": summary(found)}
    return {"pairs": pairs, "bound": BOUND, **kept, **phases, "machine": machine}


def thinned(samples: list[dict[str, float]], most: int = 300) -> list[dict[str, float]]:
    """At most so many samples, each the highest of its neighbours."""
    every = -(-len(samples) // most)
    groups = [samples[i : i + every] for i in range(0, len(samples), every)]
    return [max(group, key=lambda one: one["resident"]) for group in groups]


def draw(found: dict[str, Any], pairs: int) -> str:
    """Both phases, one behind the other."""
    seconds, offset = [], 0.0
    curves: dict[str, list[float]] = {"resident": [], "own": [], "mapped files": []}
    marks = {}
    for phase in ("preparing", "training"):
        marks[phase] = offset
        for one in found[phase]["samples"]:
            seconds.append(offset + one["seconds"])
            for name, kind in zip(curves, ("resident", "own", "mapped")):
                curves[name].append(one[kind])
        offset += found[phase]["seconds"]
    return over_time(f"{pairs:,} pairs: resident memory over time", seconds, curves, ("2 GB", BOUND), marks)


def main() -> None:
    """Measure, write the figures and the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, default=10_000_000)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--folder", type=Path, default=None, help="where the data are written; 2 GB for ten million")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        found = measured(Path(folder), given.pairs, given.minutes)
    told = told_of(found, given.pairs)
    (given.out / "memory_training.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    (given.out / "memory_training.svg").write_text(draw(told, given.pairs), encoding="utf-8")
    print(json.dumps(told["summary"], indent=1))


if __name__ == "__main__":
    main()
