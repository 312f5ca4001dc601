"""The comparisons of the documentation.

    python -m benchmarks.comparisons                       all of them
    python -m benchmarks.comparisons people_daily_mixer    one; --jobs 2 trains two cells side by side
    python -m benchmarks.comparisons --write               docs/comparisons.md from the tables that are there

Data sets are those of `datasets/` (`headway data get NAME datasets/NAME --fetch`).
"""

from benchmarks.comparisons.plans import COMPARISONS
from benchmarks.comparisons.running import main

HEAD = """# Compared on real data

Each table is one `headway compare`: the same data, the same time for every cell (of a core of its own), several seeds,
the differences by paired bootstrap over the items of the test part. What was expected was written before; what came
out stands beside it. `python -m benchmarks.comparisons` trains them all (finished cells are kept), `--write` makes this
page.
"""

if __name__ == "__main__":
    main(__doc__ or "", COMPARISONS, HEAD, "comparisons.md")
