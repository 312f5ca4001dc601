"""At least so many SIGKILLs over three tasks and all phases, each training resumed and compared.

    python -m benchmarks.kills --kills 200 --seed 0

Exit code 1 where anything differs or cannot be read. One process computes at a time, on one thread.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: a fork has no threads but its first

    from benchmarks.kills.killing import kill_many
    from benchmarks.kills.tasks import TASKS
    from benchmarks.timing import record

    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        tally = kill_many(list(TASKS), asked.kills, asked.seed, Path(name), lambda line: print(line, flush=True))
    rows = [
        {"task": task, "kills": sum(phases.values()), "phases": dict(phases), "compared": tally.compared[task]}
        for task, phases in tally.kills.items()
    ]
    found = {"differences": tally.differences, "unreadable": tally.unreadable}
    total = {
        "task": "all",
        "seed": asked.seed,
        "seconds": round(time.monotonic() - begin),
        "kills": tally.total,
        **found,
    }
    print(record("kills", [*rows, total]))
    return 1 if tally.differences or tally.unreadable else 0


if __name__ == "__main__":
    sys.exit(main())
