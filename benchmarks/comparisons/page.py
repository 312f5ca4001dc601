"""docs/comparisons.md: every comparison with what was expected, what came out, the table, and the command."""

from pathlib import Path

from benchmarks.comparisons.plans import COMPARISONS, Comparison

HEAD = """# Compared on real data

Each table is one `headway compare`: the same data, the same time for every cell, several seeds, the differences by
paired bootstrap over the items of the test part. What was expected was written before; what came out stands beside it.
`python -m benchmarks.comparisons` trains them all (finished cells are kept), `--write` makes this page.
"""


def page(results: Path) -> str:
    """The whole page, of the tables that are there."""
    return "\n".join([HEAD, *(section(one, results) for one in COMPARISONS if _path(one, results).is_file())])


def section(one: Comparison, results: Path) -> str:
    lines = _path(one, results).read_text(encoding="utf-8").splitlines()
    title, *rest = lines
    ends = next((n for n, line in enumerate(rest) if line.startswith("- ")), len(rest))
    return "\n".join(
        [
            f"## {one.data}: {title.removeprefix('# ')}",
            "",
            f"**Expected.** {one.expected}",
            "",
            *([f"**Found.** {one.found}", ""] if one.found else []),
            *rest[1:ends],
            "```",
            one.command,
            "```",
            "",
        ]
    )


def _path(one: Comparison, results: Path) -> Path:
    return results / f"{one.name}.md"
