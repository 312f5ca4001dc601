"""race.md: the tables, what they say, and the command that makes them."""

from collections.abc import Iterator, Sequence

from headway.lab.race.results import Results
from headway.lab.race.table import legend, table
from headway.lab.race.verdict import verdict
from headway.report.markup import visible


def markdown(results: Results) -> str:
    """The whole page."""
    found = table(results)
    names = [row.name for row in results.rows]
    lines = [
        f"# {_safe(results.data)}, {results.part} part",
        "",
        *map(_safe, verdict(results)),
        "",
        *_grid(found.columns[: found.costs], [row[: found.costs] for row in found.rows], names),
        "",
        *_grid(found.columns[found.costs :], [row[found.costs :] for row in found.rows], names),
        "",
        *(f"- {_safe(line)}" for line in (*legend(results), *results.signatures.values())),
        "",
        "```",
        visible(results.command),
        "```",
        "",
    ]
    return "\n".join(lines)


def _grid(columns: Sequence[str], rows: Sequence[Sequence[str]], names: Sequence[str]) -> Iterator[str]:
    yield _row("", *columns)
    yield "|---|" + "---:|" * len(columns)
    for name, cells in zip(names, rows, strict=True):
        yield _row(_safe(name), *cells)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    return visible(text).replace("|", "\\|").replace("*", "\\*")
