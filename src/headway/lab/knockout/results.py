"""What knockouts came to: for each the metric without it, and how far that is from chance."""

from dataclasses import asdict, dataclass
from typing import Any

from headway.report.wording import is_better_higher, measured, metric_name

LEVEL = 0.05
"""The chance of one or more false findings among all knockouts that is taken."""


@dataclass(frozen=True)
class Change:
    """One part switched off.

    value        the metric without it
    change       that minus the metric of the whole model
    interval     the middle 95 % of the change over resampled items
    p            of the paired bootstrap, made larger for the number of parts (Holm 1979)
    changed      the share of items that were answered otherwise
    """

    part: str
    layer: int
    head: int | None
    value: float
    change: float
    interval: tuple[float, float]
    p: float
    changed: float

    @property
    def name(self) -> str:
        """As a person calls it."""
        return f"{self.part} layer {self.layer}" + ("" if self.head is None else f" head {self.head}")

    @property
    def clear(self) -> bool:
        """Whether the choice of items alone would hardly make such a change."""
        return self.p <= LEVEL


@dataclass(frozen=True)
class Results:
    """All knockouts of a run on one data set.

    what, how    heads, mixers, feedforward or layers; removed or uniform
    metric       the run's first one
    whole        its value for the model as it is
    examples     how many items it was measured on
    changes      from the input on
    """

    run: str
    data: str
    what: str
    how: str
    metric: str
    whole: float
    examples: int
    changes: tuple[Change, ...]

    def harm(self, change: Change) -> float:
        """By how much the metric becomes worse; below 0 where it becomes better."""
        return -change.change if is_better_higher(self.metric) else change.change

    @property
    def ordered(self) -> list[Change]:
        """What is missed most comes first."""
        return sorted(self.changes, key=lambda change: -self.harm(change))

    @property
    def sentences(self) -> list[str]:
        """What it comes to, in words."""
        first, clear = self.ordered[0], [change for change in self.changes if change.clear and self.harm(change) > 0]
        missed = f"without {first.name} it is {measured(self.metric, first.value)}, and nothing is missed more"
        if self.harm(first) <= 0:
            missed = "without any one part it is no worse"
        whole = f"{metric_name(self.metric)} is {measured(self.metric, self.whole)} on {self.examples:,} items"
        count = f"{len(clear)} of {len(self.changes)} parts" if clear else f"none of {len(self.changes)} parts"
        return [
            f"{whole}; {missed}.",
            f"Missed beyond chance (paired bootstrap, Holm, 5 %): {count}.",
            "What can be spared alone need not be spared together: others may do its work.",
        ]

    def grids(self) -> list[tuple[str, list[list[float]], list[str], list[str]]]:
        """For each part (its name, harm by layer and head, names of rows, names of columns), nothing below 0."""
        found = []
        for part in dict.fromkeys(change.part for change in self.changes):
            own = [change for change in self.changes if change.part == part]
            layers = list(dict.fromkeys(change.layer for change in own))
            values = [[max(0.0, self.harm(c)) for c in own if c.layer == layer] for layer in layers]
            columns = [str(n) for n in range(max(map(len, values)))] if own[0].head is not None else []
            found.append((part, values, [str(layer) for layer in layers], columns))
        return found

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        told = {**asdict(self), "changes": [asdict(c) | {"name": c.name, "clear": c.clear} for c in self.changes]}
        return told | {"sentences": self.sentences}
