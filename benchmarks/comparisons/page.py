"""A page of comparisons: each with what was expected, what came out, the table, and the command."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.comparisons.plans import Comparison


def page(head: str, comparisons: Sequence[Comparison], results: Path) -> str:
    """The whole page, of the tables that are there."""
    return "\n".join([head, *(section(one, results) for one in comparisons if _path(one, results).is_file())])


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
