"""What a race came to: a row for each contestant, and what all were measured with."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from headway.lab.race.quality import Quality
from headway.lab.race.timing import BATCHES


@dataclass(frozen=True)
class Row:
    """One contestant.

    seconds     of each example of the latency, answered alone
    by_batch    examples a second by the size of the batch
    """

    run: str
    mode: str
    name: str
    quality: Quality
    seconds: tuple[float, ...]
    by_batch: Mapping[int, float]

    @property
    def latency_ms(self) -> float:
        """The median."""
        return 1e3 * float(np.median(self.seconds))

    @property
    def latency_p95_ms(self) -> float:
        """95 of 100 answers come sooner."""
        return 1e3 * float(np.quantile(self.seconds, 0.95))

    @property
    def best_batch(self) -> int:
        """The size of batches at which it answers most examples a second."""
        return max(self.by_batch, key=lambda size: self.by_batch[size])

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "run": self.run,
            "mode": self.mode,
            "name": self.name,
            **asdict(self.quality),
            "latency_ms": self.latency_ms,
            "latency_p95_ms": self.latency_p95_ms,
            "best_batch": self.best_batch,
            "per_second": self.by_batch[self.best_batch],
            "per_second_by_batch": {str(size): speed for size, speed in self.by_batch.items()},
        }


@dataclass(frozen=True)
class Results:
    """The whole race.

    examples      of the part, all of which the quality is of
    timed         how many of them were answered alone, and in batches
    lengths       of the sources that were answered alone, in `unit`
    repetitions   in the right sequences
    """

    rows: tuple[Row, ...]
    data: str
    part: str
    examples: int
    timed: tuple[int, int]
    lengths: tuple[int, ...]
    unit: str
    repetitions: float
    signatures: Mapping[str, str]
    machine: Mapping[str, Any]
    command: str = field(default="", compare=False)

    @property
    def metrics(self) -> Sequence[str]:
        return list(self.rows[0].quality.metrics)

    @property
    def batches(self) -> list[int]:
        """The sizes of batches that were measured."""
        return [size for size in BATCHES if size in self.rows[0].by_batch]

    def speed(self, row: Row, size: int) -> float:
        """How many times as fast as the first row it is with batches of this size."""
        return row.by_batch[size] / self.rows[0].by_batch[size]

    def as_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "data": self.data,
            "part": self.part,
            "examples": self.examples,
            "timed": {"alone": self.timed[0], "in_batches": self.timed[1]},
            "reference_repetitions": self.repetitions,
            "signatures": dict(self.signatures),
            "machine": dict(self.machine),
            "rows": [row.as_json() for row in self.rows],
        }
