"""How good are the answers?  One file a metric: thin adapters over the field's scorers; answers in, number out."""

from collections.abc import Sequence
from typing import Any, ClassVar

from headway.batch import Answer, Example
from headway.settings import Room


class Metric:
    """Collects answers beside what is right, then gives one number.

    A metric is made anew for each evaluation: `METRICS.part(name)()`.
    """

    higher_is_better: ClassVar[bool] = True
    percent: ClassVar[bool] = False
    "Whether the number is a share of one that is usually read as a percentage."

    def add(self, answers: Sequence[Answer], examples: Sequence[Example]) -> None:
        """Take answers and the examples they answer; an example's `references` are all its right targets."""
        raise NotImplementedError

    def value(self) -> float:
        """The number; NaN where nothing was added."""
        raise NotImplementedError

    def signature(self) -> str:
        """What a reader must know to compute the same number: the scorer, its version, its options."""
        raise NotImplementedError


METRICS = Room(__name__, Metric, "metric")


def measures(names: Sequence[str]) -> dict[str, Any]:
    """New metrics by name. Raises UsageError for a name there is not."""
    return {name: METRICS.part(name)() for name in names}
