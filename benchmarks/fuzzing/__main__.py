"""Fuzzing of every reader, led by what code each input reaches (atheris, libFuzzer): a message or a result, never more.

    pip install atheris
    python -m benchmarks.fuzzing --runs 1000000 --seconds 600
    python -m benchmarks.fuzzing csv jsonl --runs 100000

Each reader runs in a process of its own, which a traceback, ten seconds for one input or 2 GB of memory end. What ended
it is kept beside the results. Calls are added up until a reader has its inputs; `--again` begins anew, after a fix.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results" / "fuzzing.json"
NAMES = ["conll", "conllu", "csv", "json", "jsonl", "lines", "sdf", "slash", "smi", "tsv", "parallel", "arrow",
         "parquet", "vectors", "tensors", "sound", "smiles"]  # fmt: skip
HANG, MEMORY, LENGTH = 10, 2_048, 256
"""Seconds that one input may take, MB that the process may hold, bytes of an input (longer ones find no more; of a
format whose files are longer, twice its first)."""


def child(name: str, options: list[str]) -> None:
    """Fuzz one target in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["headway.data"], enable_loader_override=False):
        from benchmarks.fuzzing.targets import Files, target

    take = target(name, Files())
    atheris.Setup([sys.argv[0], *options], lambda content: take(content) and None)
    atheris.Fuzz()


def fuzzed(name: str, runs: int, seconds: int, kept: Path) -> dict[str, Any]:
    """One target in a process of its own: inputs, seconds, and what ended it."""
    from benchmarks.fuzzing.targets import MOST, SEEDS

    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(SEEDS[name]):
            (corpus / str(number)).write_bytes(seed)
        limits = [f"-runs={runs}", f"-max_total_time={seconds}", f"-timeout={HANG}", f"-rss_limit_mb={MEMORY}"]
        length = min(MOST, max(LENGTH, *(2 * len(seed) for seed in SEEDS[name])))
        options = [*limits, f"-max_len={length}", f"-artifact_prefix={kept}/{name}-", str(corpus)]
        begin = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.fuzzing", "--child", name, "--", *options]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        took = time.perf_counter() - begin
    numbers = [int(number) for number in re.findall(r"^(?:Done |#)(\d+)", done.stderr, re.MULTILINE)]
    found = re.findall(r"ERROR: libFuzzer: .*|^\w+(?:\.\w+)*(?:Error|Exception): .*", done.stderr, re.MULTILINE)
    crashes = [] if done.returncode == 0 else found or [f"exit code {done.returncode}: {done.stderr[-500:]}"]
    return {"inputs": max(numbers, default=0), "seconds": round(took, 1), "crashes": crashes}


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz the readers; the results are added to what is there.")
    parser.add_argument("names", nargs="*", help=", ".join(NAMES))
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs of each reader")
    parser.add_argument("--again", action="store_true", help="forget what was counted before")
    parser.add_argument("--seconds", type=int, default=600, help="of each reader, at most")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    own = sys.argv[1:]
    options = own[own.index("--") + 1 :] if "--" in own else []
    asked = parser.parse_args(own[: own.index("--")] if "--" in own else own)
    if asked.child:
        return child(asked.child, options)
    told = json.loads(asked.out.read_text(encoding="utf-8")) if asked.out.is_file() else {}
    kept = asked.out.parent / "fuzzing"
    for name in asked.names or NAMES:
        before = {} if asked.again else told.get(name, {})
        left = asked.runs - before.get("inputs", 0)
        if left <= 0:
            continue
        kept.mkdir(exist_ok=True)
        one = fuzzed(name, left, asked.seconds, kept)
        one["inputs"] += before.get("inputs", 0)
        one["seconds"] = round(one["seconds"] + before.get("seconds", 0.0), 1)
        one["crashes"] += before.get("crashes", [])
        told[name] = one
        asked.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        print(f"{name}: {one['inputs']:,} inputs in {one['seconds']:,} s, {len(one['crashes'])} crashes", flush=True)
    if kept.is_dir() and not any(kept.iterdir()):
        kept.rmdir()


if __name__ == "__main__":
    main()
