"""Pieces written by several processes side by side."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from headway import processes
from headway.lab.distillation.task import UNFINISHED


def side_by_side(out: Path, numbers: Sequence[int], jobs: int) -> Iterator[int]:
    """How many sources each piece has, once it is written. Raises HeadwayError of a process that failed.

    Neighbouring pieces are of like length, and are dealt out in turn.
    """
    shares = [list(numbers[number::jobs]) for number in range(jobs)]
    module = "headway.lab.distillation.process"
    for told in processes.side_by_side(module, [str(out)], shares, out / UNFINISHED):
        yield int(told["count"])
