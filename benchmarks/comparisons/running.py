"""Running comparisons one after another: finished cells are kept, an interrupted one goes on.

All comparisons of one data set lie in one folder, so that an arm that several share is trained once; what came of each
cell is kept in `benchmarks/results/comparisons/`, from where it is taken again.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.comparisons.page import page
from benchmarks.comparisons.plans import Comparison
from headway.cli._comparing import Lines
from headway.lab.compare.comparing import compare

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "comparisons"
KEPT = ("task.json", "cell.json")
"""Of a finished cell: what it was to do, and what came of it. Its run folder is not kept."""


def run(one: Comparison, jobs: int, folder: Path) -> None:
    """Train what is missing of a comparison, and keep its cells and its table."""
    copy_cells(RESULTS / one.data, folder / one.data)
    compare(
        ROOT / "datasets" / one.data,
        {one.axis: list(one.values)},
        folder / one.data,
        seeds=one.seeds,
        time=one.minutes * 60,
        jobs=jobs,
        settings=one.settings,
        command=one.command,
        watch=Lines(Console(stderr=True), jobs),
    )
    copy_cells(folder / one.data, RESULTS / one.data)
    table = (folder / one.data / "compare.md").read_text(encoding="utf-8")
    (RESULTS / f"{one.name}.md").write_text(table.replace(f"{ROOT}/", ""), encoding="utf-8")


def copy_cells(source: Path, target: Path) -> None:
    """What is finished in one folder, where the other does not have it; files are named from the project's root."""
    for path in sorted(source.glob("cells/*/cell.json")):
        there = target / "cells" / path.parent.name
        if not (there / "cell.json").is_file():
            there.mkdir(parents=True, exist_ok=True)
            for name in KEPT:
                told = (path.parent / name).read_text(encoding="utf-8").replace(f"{ROOT}/", "")
                (there / name).write_text(told, encoding="utf-8")


def main(about: str, comparisons: Sequence[Comparison], head: str, page_name: str) -> None:
    """The command of some comparisons; `head` begins their page, docs/`page_name`."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="COMPARISON")
    parser.add_argument("--jobs", type=int, default=1, help="cells side by side, with one thread each")
    parser.add_argument("--folder", type=Path, default=ROOT / "comparisons", help="where cells are trained")
    parser.add_argument("--write", action="store_true", help=f"write docs/{page_name} from the tables there are")
    given = parser.parse_args()
    known = [one.name for one in comparisons]
    if unknown := set(given.names) - set(known):
        parser.error(f"no comparison {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    if given.write:
        (ROOT / "docs" / page_name).write_text(page(head, comparisons, RESULTS), encoding="utf-8")
        return
    for one in comparisons:
        if not given.names or one.name in given.names:
            print(f"== {one.name}", flush=True)
            run(one, given.jobs, given.folder)
