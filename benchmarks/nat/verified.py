"""Drafted and verified on whole test sets: is every answer greedy's, and how many calls of the decoder does it take?

    python -m benchmarks.nat.verified [cmudict multi30k libreoffice_help_en_zh] [--minutes 20]

A joint model is trained for so long (the time of one core; an interrupted training goes on), then all its modes answer
the whole test part: quality, decoder calls an answer, the share of answers identical to greedy's. The table is kept in
`benchmarks/results/nat_verified.json`. `headway race RUN DATA` prints the same of any run.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.timing import RESULTS
from headway.cli._display import display
from headway.experiment import train
from headway.lab.race import race
from headway.machine import description
from headway.training.loop import Trainer

ROOT = Path(__file__).parents[2]
KEPT = RESULTS / "nat_verified.json"
MODES = ("greedy", "verify", "nat", "rerank")


@dataclass(frozen=True)
class Asked:
    """What is read and written, the minutes of training, and the share of greedy's calls that verify may take."""

    columns: dict[str, str]
    minutes: float
    calls: float | None = None


DATA = {
    "cmudict": Asked({}, 20, 0.45),
    "multi30k": Asked({"data.source": "en", "data.target": "de"}, 120, 0.65),
    "libreoffice_help_en_zh": Asked({}, 60),
}


def run(name: str, minutes: float) -> dict[str, Any]:
    """Train what is missing, and let the run answer in all its modes."""
    data, out = ROOT / "datasets" / name, ROOT / "runs" / f"joint-{name}-{minutes:g}m"
    if not (out / "results.json").is_file():
        settings = {
            "machine.threads": 1,
            "training.time_limit": minutes * 60,
            "training.epochs": None,
            **DATA[name].columns,
        }
        train(
            data, out, recipe="transduce_joint", resume=True, settings=settings, listener=display(), prepared=of_a_core
        )
    results = race(out, data, modes=MODES, sentences=50, threads=1)
    rows = [row.as_json() for row in results.rows]
    greedy = next(row for row in rows if row["mode"] == "greedy")
    for row in rows:
        row["run"] = out.relative_to(ROOT).as_posix()
        row["calls_of_greedys"] = row["decoder_calls"] / greedy["decoder_calls"]
    return {
        "data": name,
        "minutes": minutes,
        "examples": results.examples,
        "signatures": dict(results.signatures),
        "rows": rows,
        "machine": description(),
        "date": time.strftime("%Y-%m-%d"),
    }


def of_a_core(trainer: Trainer) -> None:
    """With one thread, what counts is the time of its core, so that a busy machine takes nothing."""
    if torch.get_num_threads() == 1:
        trainer.clock = time.process_time


def say(found: dict[str, Any]) -> None:
    must = DATA[found["data"]].calls
    print(f"{found['data']}: {found['examples']:,} answers, joint model of {found['minutes']:g} minutes")
    for row in found["rows"]:
        metrics = "  ".join(f"{name} {value:.4g}" for name, value in row["metrics"].items())
        identical = "" if row["identical"] is None else f"identical {100 * row['identical']:.2f} %"
        aim = f" (at most {must:g})" if must is not None and row["mode"] == "verify" else ""
        print(
            f"  {row['mode']:8} {metrics}  calls {row['decoder_calls']:.3g}, "
            f"{row['calls_of_greedys']:.3f} of greedy's{aim}  {identical}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="DATA", help=f"{', '.join(DATA)}; all where none is given")
    parser.add_argument("--minutes", type=float, help="of training, instead of its own")
    given = parser.parse_args()
    if unknown := set(given.names) - set(DATA):
        parser.error(f"no data {', '.join(sorted(unknown))}; there are {', '.join(DATA)}")
    torch.set_num_threads(1)
    for name in given.names or DATA:
        found = run(name, given.minutes or DATA[name].minutes)
        say(found)
        kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else []
        kept = [one for one in kept if one["data"] != name] + [found]
        KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
