"""docs/attention.md: what every attention costs, of the results that are there.

python -m benchmarks.attention.page
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"

HEAD = """# What attention costs

Written by `python -m benchmarks.attention.page` from `benchmarks/results/`. Every figure is a ratio of two that were
measured in turn in one process, medians over rounds: below 1 headway is the faster. 4 heads of 64, float32, no dropout.
`headway list engines` says which engine takes what; `auto` chooses among them as measured here. `bilinear` and `cosine`
do more than the kernel: a product of each query with a matrix, a norm of each query and each key.
"""
RUNS = {
    "attention_engines": "Every position may look everywhere",
    "attention_engines_causal": "The future is hidden",
    "attention_engines_keeping_memory": "With memory kept, as headway trains",
    "attention_engines_additive": "Additive scores, 4 sequences of 128, with memory kept",
}


def times(name: str, title: str) -> Iterator[str]:
    """One table of ratios: subjects × (length, forward or with backward)."""
    found = _read(name)
    if found is None:
        return
    rows = [row for row in found["rows"] if "times" in row]
    columns = sorted({(row["length"], row["backward"]) for row in rows})
    yield from (f"## {title}", "", f"`{_command(found)}`, {_machine(found)}.", "")
    heads = [f"{T} {'learn' if backward else 'read'}" for T, backward in columns]
    yield from _table(["", "beside", *heads], _ratios(rows, columns))
    yield ""


def _ratios(rows: Sequence[dict[str, Any]], columns: Sequence[tuple[int, bool]]) -> Iterator[list[str]]:
    for subject, beside in dict.fromkeys((row["subject"], row["beside"]) for row in rows):
        own = {(row["length"], row["backward"]): row["times"] for row in rows if row["subject"] == subject}
        yield [subject, beside, *(f"{own[column]:.2f}" if column in own else "–" for column in columns)]


def memory() -> Iterator[str]:
    """What an engine needs beside its inputs and results."""
    found = _read("attention_memory")
    if found is None:
        return
    lengths = sorted({row["length"] for row in found["rows"]})
    yield from ("## Memory beside inputs and results", "", f"`{_command(found)}`, {_machine(found)}.", "")
    rows = []
    for engine in dict.fromkeys(row["engine"] for row in found["rows"]):
        own = {row["length"]: row["MB"] for row in found["rows"] if row["engine"] == engine}
        growth = f"{own[lengths[-1]] / own[lengths[0]]:.2f} ×"
        rows.append([engine, *(f"{own[T]:.0f} MB" for T in lengths), growth])
    yield from _table(["engine", *map(str, lengths), "growth"], rows)
    yield from ("", "A table of all pairs would grow fourfold; nothing holds one of all pairs and all K.", "")


def length() -> Iterator[str]:
    """Cost over length, with the pictures."""
    found = _read("attention_length")
    if found is None:
        return
    lengths = sorted({row["length"] for row in found["rows"]})
    yield from ("## Cost over length", "", f"`{_command(found)}`, {_machine(found)}.", "")
    yield from (
        "One update of an encoder of width 256 and 3 layers with one sequence, seconds (and GB at the peak):",
        "",
    )
    rows = []
    for kind in dict.fromkeys(row["kind"] for row in found["rows"]):
        own = {row["length"]: row for row in found["rows"] if row["kind"] == kind}
        rows.append([kind, *(f"{own[T]['seconds']:.2f} ({own[T]['GB']:.2f})" if T in own else "–" for T in lengths)])
    yield from _table(["", *map(str, lengths)], rows)
    for what in ("seconds", "memory"):
        yield from ("", f"![{what} over length](../benchmarks/results/attention_length_{what}.svg)")
    yield ""


def _table(heads: Sequence[str], rows: Iterator[list[str]] | Sequence[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|---|" + "---|" * (len(heads) - 1)
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _read(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _command(found: dict[str, Any]) -> str:
    script, *options = found["machine"]["command"]
    return f"python -m benchmarks.attention.{script.removesuffix('.py')} {' '.join(options)}".rstrip()


def _machine(found: dict[str, Any]) -> str:
    machine = found["machine"]
    packages = machine["packages"]
    return f"{machine['processor']}, {machine['threads']} threads, torch {packages['torch']}"


def main() -> None:
    parts = [HEAD, *(line for run in RUNS.items() for line in times(*run)), *memory(), *length()]
    (ROOT / "docs" / "attention.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
