"""The events of a training as curves."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST = 300
"""Points of a curve that are drawn; a denser one is thinned evenly."""
NOT_METRICS = frozenset({"event", "step", "loss", "seconds", "best"})

Points = list[tuple[int, float]]
"""(step, value), in the order of steps."""


@dataclass
class Curves:
    """What changed from step to step.

    metrics   by name, on the valid part
    kept      the step whose weights the run keeps; None before the first evaluation
    """

    train_loss: Points = field(default_factory=list)
    valid_loss: Points = field(default_factory=list)
    metrics: dict[str, Points] = field(default_factory=dict)
    learning_rate: Points = field(default_factory=list)
    tokens_per_second: Points = field(default_factory=list)
    kept: int | None = None


def curves(events: Iterable[Mapping[str, Any]]) -> Curves:
    """The curves in the events of a log; what is missing, no number or not finite is left out."""
    found = Curves()
    for event in events:
        step = event.get("step")
        if not isinstance(step, int):
            continue
        if event.get("event") == "step":
            for name, points in (
                ("loss", found.train_loss),
                ("learning_rate", found.learning_rate),
                ("tokens_per_second", found.tokens_per_second),
            ):
                _add(points, step, event.get(name))
        elif event.get("event") == "valid":
            _add(found.valid_loss, step, event.get("loss"))
            for name in event:
                if name not in NOT_METRICS:
                    _add(found.metrics.setdefault(name, []), step, event[name])
            if event.get("best") is True:
                found.kept = step
    return found


def thinned(points: Sequence[tuple[int, float]], most: int = MOST, always: int | None = None) -> Points:
    """At most about `most` points, evenly; the last one and the one at the step `always` stay."""
    every = max(1, -(-len(points) // most))
    last = len(points) - 1
    return [p for number, p in enumerate(points) if number % every == 0 or number == last or p[0] == always]


def _add(points: Points, step: int, value: object) -> None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        points.append((step, float(value)))
