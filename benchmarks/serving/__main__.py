"""The server under load.

    python -m benchmarks.serving load RUN INPUTS     what batching brings, waits, cost; benchmarks/results/serving.json
    python -m benchmarks.serving soak RUN --minutes 30      does memory grow? benchmarks/results/serving_soak.json,
                                                            exit code 1 where it does
    python -m benchmarks.serving restart RUN         from a SIGKILL to the next answer

RUN is a run that writes sequences of texts, INPUTS a file with a text at the begin of each line.
"""

import argparse
import os
import sys
from pathlib import Path

MOST_GROWTH = 0.03
"""The share by which memory may grow: what is left of the holes between pieces in use."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["load", "soak", "restart"])
    parser.add_argument("run", type=Path)
    parser.add_argument("inputs", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--note", default="")
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"

    say = lambda line: print(line, flush=True)  # noqa: E731
    if asked.what == "soak":
        from benchmarks.serving.process import started
        from benchmarks.serving.soak import soaked
        from benchmarks.timing import record

        with started(asked.run) as server:
            found = soaked(server.url, server.memory, 60 * asked.minutes, say)
        say(record("serving_soak", [{"run": asked.run.name, "note": asked.note, **found}]))
        return 1 if found["grown"] > MOST_GROWTH or found["mistakes"] else 0
    if asked.what == "restart":
        from benchmarks.serving.restart import restarted

        for one in restarted(asked.run, asked.rounds):
            say(f"ready after {one['seconds']:.2f} s, {one['processor']:.2f} s of the processor")
        return 0
    if asked.inputs is None:
        parser.error("load needs a file of INPUTS")
    from benchmarks.serving.load import cost, loads
    from benchmarks.serving.restart import restarted
    from benchmarks.timing import record

    lines = asked.inputs.read_text(encoding="utf-8").splitlines()[1 : 1 + 32 * 40]
    texts = [line.partition("\t")[0] for line in lines]
    beside = cost(asked.run, texts, asked.rounds, asked.seconds, say)
    rows = loads(asked.run, texts, asked.rounds, asked.seconds, say)
    again = restarted(asked.run, asked.rounds)
    say(record("serving", [{"note": asked.note}, *rows, beside, {"restarts": again}]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
