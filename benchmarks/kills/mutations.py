"""Files of run folders, damaged at random: each is refused by name, or what was before it is used and that is said.

    python -m benchmarks.kills.mutations --mutations 600 --seed 0

Every file of a training that was stopped is cut, flipped in one bit, emptied of a block or deleted, and the training is
gone on with; every file of a finished run, and the run answers. What nothing reads any more may be damaged without a
word, if what comes out is what would have come out. Exit code 1 where anything is accepted silently or ends in a
traceback.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: a fork has no threads but its first

    from benchmarks.kills.damaging import Finished, Stopped, damage_many
    from benchmarks.timing import record

    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subjects = [Stopped("tag", folder / "tag"), Stopped("joint", folder / "joint"), Finished("joint", folder / "f")]
        found, wrong = damage_many(subjects, asked.mutations, asked.seed, lambda line: print(line, flush=True))
    rows: list[dict[str, Any]] = [
        {"run": run, "file": file, "outcomes": dict(outcomes)} for (run, file), outcomes in sorted(found.items())
    ]
    total = sum((outcomes for outcomes in found.values()), Counter())
    seconds = round(time.monotonic() - begin)
    rows.append({"run": "all", "seed": asked.seed, "seconds": seconds, "outcomes": dict(total), "wrong": wrong})
    print(record("mutations", rows))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
