"""Two runs side by side: what was checked, and the first thing that differs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headway.errors import RunError
from headway.run import RunFolder
from headway.storage import read_tensors
from headway.training import checkpoint
from headway.training.events import read_events

CLOCKS = {"seconds", "tokens_per_second", "peak_memory"}
"""What clocks say, which no resume can bring back."""


@dataclass(frozen=True)
class Check:
    """Something that was compared.

    name          what
    count         how many of it, in words
    difference    the first that differs; None where all are equal, bit by bit
    """

    name: str
    count: str
    difference: str | None = None


def checks(whole: Path, resumed: Path, updates: Path, pieces: Sequence[Path]) -> list[Check]:
    """All that is compared of a run that was left alone and one that was resumed.

    updates    what the first noted of its updates; pieces those of the processes of the second, in their order
    """
    ends = [checkpoint.latest(RunFolder(run).checkpoints, _refuse) for run in (whole, resumed)]
    one, other = (end or _refuse(f"{run} has no checkpoint") for end, run in zip(ends, (whole, resumed)))
    made, again = noted(updates), [line for piece in pieces for line in noted(piece)]
    return [
        _order("data order", made, again, 1, "other rows"),
        _order("losses, and so all that is drawn", made, again, 2, "another loss"),
        _tensors("weights", one / "weights.safetensors", other / "weights.safetensors"),
        _tensors("state of the optimizer", one / "optimizer.safetensors", other / "optimizer.safetensors"),
        _tensors("averaged weights", one / "average.safetensors", other / "average.safetensors"),
        _progress(one, other),
        _metrics(whole, resumed),
        _best(whole, resumed),
    ]


def noted(path: Path) -> list[list[Any]]:
    """[step, rows, loss, count] of every update that a process made; a last line that was cut is left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            found.append(json.loads(line))
    return found


def _refuse(text: str) -> Any:
    raise RunError(text)


def _order(name: str, made: Sequence[list[Any]], again: Sequence[list[Any]], place: int, what: str) -> Check:
    """Every update that was made again, replayed ones too, and none is missing."""
    expected = {line[0]: line[place] for line in made}
    count = f"{len(expected):,} updates, {len(again) - len(expected):,} of them twice"
    for step, *_ in sorted(again):
        if step not in expected:
            return Check(name, count, f"update {step + 1:,} was made only after the resume")
    for line in sorted(again):
        if line[place] != expected[line[0]]:
            values = f": {float.fromhex(expected[line[0]])!r} and {float.fromhex(line[place])!r}" if place == 2 else ""
            return Check(name, count, f"update {line[0] + 1:,} had {what}{values}")
    missing = sorted(expected.keys() - {line[0] for line in again})
    return Check(name, count, f"update {missing[0] + 1:,} was not made after the resume" if missing else None)


def _tensors(name: str, first: Path, second: Path) -> Check:
    one, other = read_tensors(first), read_tensors(second)
    count = f"{len(one):,} tensors, {sum(tensor.numel() for tensor in one.values()):,} numbers"
    if one.keys() != other.keys():
        return Check(name, count, f"{min(one.keys() ^ other.keys())} is in one of them only")
    differ = [tensor for tensor in one if not _same(one[tensor], other[tensor])]
    if not differ:
        return Check(name, count)
    largest = (one[differ[0]].double() - other[differ[0]].double()).abs().max()
    step = first.parent.name.removeprefix("step-").lstrip("0")
    return Check(name, count, f"{differ[0]} by at most {largest:.3g} after update {step}; {len(differ)} differ in all")


def _same(one: Tensor, other: Tensor) -> bool:
    """Bit by bit: a NaN is equal to itself, and -0.0 is not 0.0."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return torch.equal(one.contiguous().view(-1).view(torch.uint8), other.contiguous().view(-1).view(torch.uint8))


def _progress(one: Path, other: Path) -> Check:
    first, second = (
        {name: value for name, value in asdict(checkpoint.read_progress(path)).items() if name not in CLOCKS}
        for path in (one, other)
    )
    differ = [name for name in first if first[name] != second[name]]
    text = f"{differ[0]}: {first[differ[0]]} and {second[differ[0]]}" if differ else None
    return Check("position, schedule, early stopping", f"{len(first)} values", text)


def _metrics(whole: Path, resumed: Path) -> Check:
    first, second = (_untimed(run / "metrics.jsonl") for run in (whole, resumed))
    count = f"{len(first):,} lines of metrics.jsonl"
    for one, other in zip(first, second):
        differ = [name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]
        if differ:
            values = f"{one.get(differ[0])} and {other.get(differ[0])}"
            return Check("metrics", count, f"{differ[0]} at step {one['step']:,}: {values}")
    if len(first) != len(second):
        return Check("metrics", count, f"the log of the resumed run has {len(second):,} lines")
    return Check("metrics", count)


def _untimed(path: Path) -> list[dict[str, Any]]:
    """The lines of a log without what clocks say, and without those that say that it was started."""
    events = [event for event in read_events(path) if event["event"] != "start"]
    return [{name: value for name, value in event.items() if name not in CLOCKS} for event in events]


def _best(whole: Path, resumed: Path) -> Check:
    first, second = RunFolder(whole).manifest(), RunFolder(resumed).manifest()
    if first["step"] != second["step"]:
        return Check("best weights", "of one step", f"those of step {first['step']:,} and {second['step']:,}")
    return _tensors("best weights", whole / first["weights"], resumed / second["weights"])
