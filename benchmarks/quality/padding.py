"""What share of the tokens that a training passes through the model is padding, for every cell, without training.

    python -m benchmarks.quality.padding [CELL ...]      benchmarks/results/quality/padding.json

Cells whose data set is not in `datasets/` are left out.
"""

import argparse
import json

from benchmarks.quality.__main__ import RESULTS, ROOT
from benchmarks.quality.cells import CELLS, Cell
from headway.data.batching import padding_share
from headway.data.batching import plan as batches_of
from headway.planning import codecs_for, plan
from headway.settings import assignments

EPOCHS = 3


def share_of(cell: Cell) -> float:
    """Of the first epochs of the cell's training."""
    made = plan(ROOT / "datasets" / cell.data, cell.recipe, None, assignments(cell.settings, cell.name))
    costs, training = made.encoded(codecs_for(made, None)).costs, made.run.training
    shares = []
    for epoch in range(EPOCHS):
        updates = batches_of(costs, training.tokens, made.run.machine.seed, epoch, training.groups)
        shares.append(padding_share(costs, (rows for update in updates for rows in update)))
    return sum(shares) / EPOCHS


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cells", nargs="*", metavar="CELL", help="all where none are named")
    asked = parser.parse_args().cells
    kept = RESULTS / "padding.json"
    found = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    for cell in CELLS:
        if (not asked or cell.name in asked) and (ROOT / "datasets" / cell.data).is_dir():
            found[cell.name] = share_of(cell)
            print(f"{cell.title:50} {found[cell.name]:.2%} padding", flush=True)
            kept.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
