"""What a race says, in plain words: who is fastest alone and in batches, where they cross, and what speed costs."""

from collections.abc import Iterator

from headway.lab.race.results import Results, Row
from headway.report.wording import is_better_higher, is_percent, measured, metric_name, signed, significant

NEAR = 0.05
"""Speeds that differ by less are called the same: so much differ two measurements of one program."""


def verdict(results: Results) -> list[str]:
    """One sentence after another."""
    return [*_best(results), *_alone(results), *_in_batches(results), *_crossings(results), *_identical(results)]


def _best(results: Results) -> Iterator[str]:
    name = results.metrics[0]
    sign = 1 if is_better_higher(name) else -1
    best = max(results.rows, key=lambda row: sign * row.quality.metrics[name])
    yield f"The best {metric_name(name)} has {best.name}: {measured(name, best.quality.metrics[name])}."


def _alone(results: Results) -> Iterator[str]:
    fastest = min(results.rows, key=lambda row: row.latency_ms)
    yield (
        f"One at a time, {fastest.name} is fastest: {significant(fastest.latency_ms, 3)} ms"
        f"{_beside(results, fastest, results.rows[0].latency_ms / fastest.latency_ms)}."
    )


def _in_batches(results: Results) -> Iterator[str]:
    if len(results.batches) > 1:
        best = max(results.rows, key=lambda row: row.by_batch[row.best_batch])
        first = results.rows[0]
        times = best.by_batch[best.best_batch] / first.by_batch[first.best_batch]
        yield (
            f"In batches, {best.name} answers most: {significant(best.by_batch[best.best_batch], 3)} a second "
            f"(batches of {best.best_batch}){_beside(results, best, times)}."
        )


def _beside(results: Results, row: Row, times: float) -> str:
    """How it stands to the first row: in speed, and in what the first metric lost or won."""
    first, name = results.rows[0], results.metrics[0]
    if row is first:
        return ""
    apart = row.quality.metrics[name] - first.quality.metrics[name]
    words = f"{100 * apart:+.2f} points" if is_percent(name) else f"{'+' if apart > 0 else ''}{significant(apart, 3)}"
    changed = "the same" if apart == 0 else signed(words)
    return f", {times:.2f} times as fast as {first.name}, {metric_name(name)} {changed}"


def _crossings(results: Results) -> Iterator[str]:
    """Who overtakes the first row, or is overtaken by it, as batches grow."""
    first = results.rows[0]
    for row in results.rows[1:]:
        speeds = [(size, results.speed(row, size)) for size in results.batches]
        ahead = [size for size, speed in speeds if speed > 1 + NEAR]
        behind = [size for size, speed in speeds if speed < 1 - NEAR]
        if ahead and behind and max(ahead) < min(behind):
            where = f"faster than {first.name} {_up_to(max(ahead))}, and slower from batches of {min(behind)}"
        elif ahead and behind and max(behind) < min(ahead):
            where = f"slower than {first.name} {_up_to(max(behind))}, and faster from batches of {min(ahead)}"
        else:
            continue
        yield f"{row.name} is {where}."


def _up_to(size: int) -> str:
    return "one at a time" if size == 1 else f"up to batches of {size}"


def _identical(results: Results) -> Iterator[str]:
    for row in results.rows:
        if row.mode != "greedy" and row.quality.identical == 1.0:
            yield f"{row.name} wrote for all {results.examples:,} examples what greedy of the same run writes."
