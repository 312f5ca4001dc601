"""Run the quality cells, one after another; finished ones are kept, an interrupted one goes on.

    python -m benchmarks.quality                    all of them
    python -m benchmarks.quality brown --seed 1     one, with another seed
    python -m benchmarks.quality --table            print what is there; --write makes docs/quality.md of it

With one thread a time limit counts the seconds of its core, so that a busy machine takes nothing from a training.

Data sets are made in `datasets/` by `headway data get NAME --fetch` where they are missing (Multi30k: --multi30k DIR),
runs lie in `runs/`, results in `benchmarks/results/quality/`.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.nat.verified import of_a_core
from benchmarks.quality.cells import CELLS, Cell
from benchmarks.quality.judges import JUDGES
from benchmarks.quality.page import bounds, must_of, page, shown
from benchmarks.quality.peers import PEERS
from headway.cli._display import display
from headway.data.corpora import obtain
from headway.experiment import examples_for, load, train
from headway.machine import description
from headway.run import RunFolder
from headway.training.evaluation import measure

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "quality"


def data_of(cell: Cell, multi30k: Path | None) -> Path:
    """The folder of a cell's data, made where it is missing."""
    folder = ROOT / "datasets" / cell.data
    if not (folder / "dataset.json").is_file():
        given = multi30k if cell.data == "multi30k" else None
        print(obtain(cell.data, folder, fetch=given is None, given=given, say=print))
    return folder


def run(cell: Cell, seed: int, data: Path) -> dict[str, Any]:
    """Train, answer the test part, run the peer on the same split; the row that is kept."""
    settings = {"training.time_limit": cell.minutes * 60, **({"training.epochs": None} if cell.fill else {})}
    settings |= cell.settings
    seeds = range(seed, seed + cell.members)
    outs = [ROOT / "runs" / f"{cell.name}-{one}" for one in seeds]
    for one, out in zip(seeds, outs, strict=True):
        if not (out / "results.json").is_file():
            how: dict[str, Any] = {"recipe": cell.recipe, "settings": settings, "prepared": of_a_core}
            train(data, out, resume=True, seed=one, listener=display(), **how)
    predictor = load(*outs)
    test = examples_for(predictor, data, "test")
    start = time.perf_counter()
    values, signatures, answers = predictor.evaluate(test, **cell.answer)
    seconds = time.perf_counter() - start
    alone = [load(out).evaluate(test, **cell.answer)[0] for out in outs] if len(outs) > 1 else []
    peer = _peer(cell, predictor, data, test, list(values))
    return {
        "cell": cell.name,
        "data": json.loads((data / "dataset.json").read_text())["files"],
        "seed": seed,
        "members": [{"seed": one, "metrics": metrics} for one, metrics in zip(seeds, alone)],
        "settings": settings,
        "mode": cell.answer.get("mode", "auto"),
        "test": {"examples": len(test), "metrics": values, "signatures": signatures, "seconds": seconds},
        "judged": _judged(cell, answers, test),
        "modes": {mode: _of_mode(cell, predictor, test, mode, answers) for mode in cell.modes},
        "peer": {"method": (PEERS[cell.peer].__doc__ or "").partition("\n")[0], "metrics": peer},
        "training": _facts(outs),
        "environment": json.loads(RunFolder(outs[0]).environment.read_text())["machine"],
        "measured_on": description(),
    }


def _of_mode(cell: Cell, predictor: Any, test: Any, mode: str, first: Sequence[Any]) -> dict[str, Any]:
    """The test part answered in another way, and the share of answers that are those of the first."""
    values, _, answers = predictor.evaluate(test, mode=mode)
    same = sum(one.text == other.text for one, other in zip(answers, first, strict=True))
    return {"metrics": values, "identical": same / len(test), "judged": _judged(cell, answers, test)}


def _judged(cell: Cell, answers: Sequence[Any], test: Any) -> dict[str, float]:
    return {name: JUDGES[name](answers, test) for name in cell.judges}


def _facts(outs: Sequence[Path]) -> dict[str, Any]:
    """What training took, of all together; memory the most of any."""
    facts = [json.loads((out / "results.json").read_text())["facts"] for out in outs]
    return {
        name: max(one[name] for one in facts) if name == "peak_memory" else sum(one[name] for one in facts)
        for name in facts[0]
    }


def _peer(cell: Cell, predictor: Any, data: Path, test: Any, names: list[str]) -> dict[str, float]:
    kept = RESULTS / f"{cell.name}-peer.json"
    if not kept.is_file():
        found = PEERS[cell.peer](examples_for(predictor, data, "train"), test)
        values = {name: metric.value() for name, metric in measure(names, found, test).items()}
        kept.write_text(json.dumps(values, indent=1) + "\n")
    return json.loads(kept.read_text())


def table() -> None:
    """Everything that is there, with what was aimed at."""
    for cell in CELLS:
        for path in sorted(RESULTS.glob(f"{cell.name}-[0-9]*.json")):
            row = json.loads(path.read_text())
            values, peer, training = row["test"]["metrics"], row["peer"]["metrics"], row["training"]
            told = "  ".join(f"{name} {shown(name, value)}" for name, value in values.items())
            print(
                f"{cell.name:14} seed {row['seed']}  {told}  ({row['mode']}; {training['seconds'] / 60:.0f} min, "
                f"{training['step']:,} updates)  peer {shown(cell.metric, peer[cell.metric])}  "
                f"must {bounds(cell, must_of(cell, peer), values, 0)}  goal {bounds(cell, cell.goal, values, 1)}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cells", nargs="*", choices=[[], *(cell.name for cell in CELLS)], metavar="CELL")
    parser.add_argument("--seed", type=int, help="this one, and not those of the cell")
    parser.add_argument("--multi30k", type=Path, help="the folder with train.en.gz and the rest")
    parser.add_argument("--table", action="store_true", help="print the results that are there")
    parser.add_argument("--write", action="store_true", help="write docs/quality.md from the results that are there")
    given = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    for cell in [] if given.table or given.write else CELLS:
        for seed in range(cell.seeds) if given.seed is None else [given.seed]:
            kept = RESULTS / f"{cell.name}-{seed}.json"
            if kept.is_file() or (given.cells and cell.name not in given.cells):
                continue
            print(f"== {cell.name}, seed {seed}", flush=True)
            row = run(cell, seed, data_of(cell, given.multi30k))
            kept.write_text(json.dumps(row, indent=1, ensure_ascii=False) + "\n")
    table()
    if given.write:
        (ROOT / "docs" / "quality.md").write_text(page(RESULTS), encoding="utf-8")


if __name__ == "__main__":
    main()
