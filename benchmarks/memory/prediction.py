"""Peak memory of `headway predict` over files of different size: it must not grow with what it answers.

    python -m benchmarks.memory.prediction --sizes 10 1000

Words are drawn by Zipf's law from a vocabulary without end, so that new word forms never stop to come.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
TAGS = ["NOUN", "VERB", "ADJ", "ADP", "DET", "PRON", "ADV", "PUNCT"]
MB = 1_000_000
MEASURED = """
import sys
from headway import cli, machine
code = cli.run(sys.argv[1:])
print(machine.peak_memory(), file=sys.stderr)
sys.exit(code)
"""
"""The command, and behind it what it has taken of memory."""


def spelled(rank: int) -> str:
    """The word of a rank: frequent ones are short."""
    word = ""
    while True:
        rank, last = divmod(rank, len(SYLLABLES))
        word += SYLLABLES[last]
        if not rank:
            return word


def sentences(seed: int) -> Iterator[str]:
    """Lines of tagged words without end; a word has always the same tag."""
    random = np.random.Generator(np.random.PCG64(seed))
    while True:
        ranks = np.minimum(random.zipf(1.3, 100_000), 1 << 40).tolist()
        words = [f"{spelled(rank)}/{TAGS[rank % len(TAGS)]}" for rank in ranks]
        lengths = random.integers(5, 40, 4_000).cumsum().tolist()
        for begin, end in zip([0, *lengths], lengths):
            if end > len(words):
                break
            yield " ".join(words[begin:end])


def write(path: Path, size: int, seed: int) -> Path:
    """A file of at least so many bytes."""
    written = 0
    with open(path, "w", encoding="utf-8") as file:
        for line in sentences(seed):
            written += file.write(line + "\n")
            if written >= size:
                return path
    return path


def headway(arguments: Sequence[str], output: Path) -> tuple[int, float]:
    """(bytes of memory at the peak, seconds) of a command, in a process of its own."""
    start = time.perf_counter()
    with open(output, "wb") as out:
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, *arguments], stdout=out, stderr=subprocess.PIPE, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return int(done.stderr.split()[-1]), time.perf_counter() - start


def trained(folder: Path, threads: int) -> Path:
    """The run folder of a tiny tagger."""
    data, run = folder / "data", folder / "run"
    data.mkdir()
    for seed, (part, size) in enumerate({"train": 200_000, "valid": 20_000, "test": 20_000}.items()):
        write(data / f"{part}.slash", size, seed)
    settings = {
        "model.encoder.layers": 1,
        "model.encoder.width": 32,
        "model.encoder.mixer.heads": 2,
        "training.steps": 60,
        "machine.threads": threads,
    }
    options = [f"--{path}={value}" for path, value in settings.items()]
    headway(["train", str(data), "--out", str(run), *options], folder / "printed")
    return run


def measure(sizes: Sequence[int], threads: int) -> list[dict[str, Any]]:
    """A row for each size in megabytes: peak memory, and the speed."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = trained(folder, threads)
        for size in sizes:
            file = write(folder / "input.slash", size * MB, 9)
            peak, seconds = headway(["predict", str(run), str(file)], folder / "answers")
            rows.append(
                {
                    "input_MB": size,
                    "peak_MB": round(peak / MB, 1),
                    "seconds": round(seconds, 1),
                    "MB_per_second": round(size / seconds, 3),
                    "lines_in": _lines(file),
                    "lines_out": _lines(folder / "answers"),
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    return rows


def _lines(file: Path) -> int:
    with open(file, "rb") as lines:
        return sum(1 for _ in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 1000], help="megabytes of input")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    rows = measure(asked.sizes, asked.threads)

    from benchmarks.timing import record  # last: it imports torch, and a child begins as large as its parent

    print(record("memory_prediction", rows))


if __name__ == "__main__":
    main()
