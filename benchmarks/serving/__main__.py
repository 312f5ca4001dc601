"""The server under load.

    python -m benchmarks.serving load RUN INPUTS     what batching brings, waits, cost
    python -m benchmarks.serving soak RUN --minutes 30      does memory grow? exit code 1 where it does
    python -m benchmarks.serving restart RUN         from a SIGKILL to the next answer
    python -m benchmarks.serving page RUN            in Chromium, from Enter to the first answer that is seen

RUN is a run that writes sequences of texts, INPUTS a file with a text at the begin of each line. What is found is kept
in benchmarks/results/. Clients are wrk where it is installed; the page takes playwright and Chromium.
"""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.timing import record

MOST_GROWTH = 0.03
"""The share by which memory may grow: what is left of the holes between pieces in use."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["load", "soak", "restart", "page"])
    parser.add_argument("run", type=Path)
    parser.add_argument("inputs", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--note", default="")
    asked = parser.parse_args()
    if asked.what == "load" and asked.inputs is None:
        parser.error("load needs a file of INPUTS")
    os.environ["OMP_NUM_THREADS"] = "1"
    return {"load": load, "soak": soak, "restart": restart, "page": page}[asked.what](asked)


def load(asked: argparse.Namespace) -> int:
    from benchmarks.serving.load import cost, loads

    lines = asked.inputs.read_text(encoding="utf-8").splitlines()[1 : 1 + 32 * 40]
    texts = [line.partition("\t")[0] for line in lines]
    beside = cost(asked.run, texts, asked.rounds, asked.seconds, say)
    rows = loads(asked.run, texts, asked.rounds, asked.seconds, say)
    say(record("serving", [{"note": asked.note}, *rows, beside]))
    return 0


def soak(asked: argparse.Namespace) -> int:
    from benchmarks.serving.process import started
    from benchmarks.serving.soak import soaked

    with started(asked.run) as server:
        found = soaked(server.url, server.memory, 60 * asked.minutes, say)
    say(record("serving_soak", [{"run": asked.run.name, "note": asked.note, **found}]))
    return 1 if found["grown"] > MOST_GROWTH or found["mistakes"] else 0


def restart(asked: argparse.Namespace) -> int:
    from benchmarks.serving.restart import restarted

    rows = restarted(asked.run, asked.rounds)
    for one in rows:
        say(f"ready after {one['seconds']:.2f} s, {one['processor']:.2f} s of the processor")
    say(record("serving_restart", rows))
    return 0


def page(asked: argparse.Namespace) -> int:
    from benchmarks.serving.first_answer import first_answers

    rows = first_answers(asked.run, "transformer", asked.rounds)
    for row in rows:
        say(f"a form after {1000 * row['form']:.0f} ms, an answer {1000 * row['answer']:.0f} ms after Enter")
    say(record("serving_page", rows))
    return 0


def say(line: object) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
