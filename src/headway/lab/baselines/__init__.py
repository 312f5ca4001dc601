"""What does a model have to beat?  Classical methods, one file each, that stand beside it in the final table.

They need numpy alone, run in seconds on one core, and are honest: no figure of theirs is held down. A file is called
after its task and its name: `tag_ngram` is the baseline `ngram` of the task `tag`; the name that comes first asks less.
"""

from collections.abc import Sequence
from typing import ClassVar

from headway.batch import Answer, Example
from headway.settings import Room

BUDGET = 30.0
"""Seconds that a baseline may learn, where nothing else is said; it bounds the memory as well."""


class Baseline:
    """Learns from examples, answers examples. Made anew for each training part."""

    task: ClassVar[str]
    name: ClassVar[str]
    method: str
    "What it is, for the line below the table."

    def __init__(self, budget: float = BUDGET):
        """budget: seconds that `fit` may take on one ordinary core; larger data are thinned out by a fixed rule.

        No clock is read, so that the same data give the same answers on every machine.
        """
        self.budget = budget
        self.thinned = ""

    @property
    def note(self) -> str:
        """The method, and how much of the data it saw where that was not all."""
        return self.method + (f"; {self.thinned}" if self.thinned else "")

    def refuses(self, examples: Sequence[Example]) -> str | None:
        """Why it cannot read these examples; None where it can."""
        return None

    def fit(self, examples: Sequence[Example]) -> None:
        """Learn from the training part; examples without a target are passed over."""
        raise NotImplementedError

    def predict(self, examples: Sequence[Example]) -> list[Answer]:
        """One answer for each example; targets are not looked at."""
        raise NotImplementedError


BASELINES = Room(__name__, Baseline, "baseline")


def baselines_for(task: str, budget: float = BUDGET) -> list[Baseline]:
    """New baselines of a task, the simplest first; none where the task has none."""
    names = [name for name in BASELINES.names() if name.startswith(f"{task}_")]
    return [BASELINES.part(name)(budget) for name in names]
