"""Quality over time and over the length of the input: lines for the charts, the mean over seeds."""

from collections.abc import Sequence
from statistics import fmean

import numpy as np

from headway.lab.compare.results import ArmResult, Results
from headway.report.charts import Line
from headway.report.grades import Bucket, buckets

COLOURS = 8
"""Lines that are told apart by colour; further ones are grey."""


def look(number: int) -> str:
    """The class of the arm of that number in report.css."""
    return f"arm a{number + 1}" if number < COLOURS else "quiet"


def over_time(results: Results, by: str = "seconds") -> list[Line]:
    """The valid part's first metric at each evaluation, over seconds of training or over updates (`steps`)."""
    found = []
    for number, arm in enumerate(results.arms):
        curves = [cell["curve"] for cell in arm.cells.values() if cell["curve"]]
        common = min(map(len, curves), default=0)
        at = 1 if by == "seconds" else 0
        points = [(fmean(c[i][at] for c in curves), fmean(c[i][2] for c in curves)) for i in range(common)]
        found.append(Line(arm.name, points, look(number)))
    return found


def over_length(results: Results) -> tuple[list[Line], Sequence[Bucket]]:
    """(the score of items of like length over their mean length, the groups of items) for groups of equal size."""
    first = next(cell for arm in results.arms for cell in arm.cells.values())
    lengths = np.array(first["items"]["lengths"], np.int64)
    groups = buckets(lengths)
    found = []
    for number, arm in enumerate(results.arms):
        points = []
        for group in groups if arm.cells else ():
            value = _score(arm, group)
            if value is not None:
                points.append((float(lengths[group.rows].mean()), value))
        found.append(Line(arm.name, points, look(number)))
    return found, groups


def _score(arm: ArmResult, group: Bucket) -> float | None:
    """Amounts over weights of a group, all seeds together."""
    amounts, weights = (
        sum(float(np.array(cell["items"][name])[group.rows].sum()) for cell in arm.cells.values())
        for name in ("amounts", "weights")
    )
    return amounts / weights if weights else None
