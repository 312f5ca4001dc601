"""The table of a race, as cells that the terminal, the page and the Markdown file show."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from headway.lab.race.results import Results, Row
from headway.report.wording import measured, metric_name, significant

NOTHING = "–"


class Table(NamedTuple):
    """Columns and, for each contestant in order, its cells; `costs` is the first column that says what an answer took.

    best    the row whose first metric is best, or none
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    costs: int


Cell = Callable[[Row], str]


def table(results: Results) -> Table:
    """What was written, then what it took."""
    good: list[tuple[str, Cell]] = [
        *((metric_name(name), _metric(name)) for name in results.metrics),
        ("identical to greedy", lambda row: _share(row.quality.identical)),
        ("length ratio", lambda row: f"{row.quality.length_ratio:.3f}"),
        ("length right", lambda row: _share(row.quality.length_accuracy)),
        ("repeated", lambda row: _share(row.quality.repetitions)),
        ("empty", lambda row: _share(row.quality.empty)),
    ]
    took: list[tuple[str, Cell]] = [
        (
            "decoder calls",
            lambda row: NOTHING if row.quality.decoder_calls is None else _two(row.quality.decoder_calls),
        ),
        ("ms, median", lambda row: significant(row.latency_ms, 3)),
        ("ms, p95", lambda row: significant(row.latency_p95_ms, 3)),
        *((f"a second, {size}", _speed(size)) for size in results.batches),
        ("best batch", lambda row: str(row.best_batch)),
    ]
    columns = [*good, *took]
    rows = tuple(tuple(cell(row) for _, cell in columns) for row in results.rows)
    return Table(tuple(name for name, _ in columns), rows, len(good))


def _metric(name: str) -> Cell:
    return lambda row: measured(name, row.quality.metrics[name])


def _speed(size: int) -> Cell:
    return lambda row: significant(row.by_batch[size], 3) if size in row.by_batch else NOTHING


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2%}"


def _two(value: float) -> str:
    return f"{value:.2f}"


def legend(results: Results) -> Sequence[str]:
    """What the columns are, and what it was measured with."""
    alone, together = results.timed
    machine = results.machine
    gpu = f", {machine['gpu']}" if machine.get("gpu") else ""
    return [
        f"Quality is of all {results.examples:,} examples of the part. Length ratio: tokens written for each that is "
        "right; length right: outputs as long as a right one; repeated: tokens the same as the one before, "
        f"{results.repetitions:.2%} in the right sequences; decoder calls: passes through a decoder for an output.",
        f"ms: {alone:,} examples one after another, cutting into tokens and joining included, contestants in turn; "
        f"a second: answers in batches of so many, of {together:,} examples in order of length.",
        f"{machine['processor']}{gpu}, {machine['threads']} of {machine['cores']} threads, {machine['system']}, torch "
        f"{machine['packages']['torch']}, headway {machine['headway']}.",
    ]
