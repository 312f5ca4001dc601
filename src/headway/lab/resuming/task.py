"""What a process of a verification is to do."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has no other, and its own ends a process at once, too
KILLED = -KILL


@dataclass(frozen=True)
class Part:
    """Which part of a training is made.

    steps      of the whole training
    told       updates between evaluations, as the training itself has them
    every      updates between evaluations here
    updates    that are made
    """

    steps: int
    told: int
    every: int
    updates: int


@dataclass(frozen=True)
class Task:
    """What a process is to do: the arguments of a training, and what is made of it.

    seconds    of training, where it is not known yet which part is made
    part       which part is made; by the clock without one
    told       the path of what it leaves beside the run, without endings: .part and .updates
    die_in     update or checkpoint: where it ends itself, at `die_at`
    """

    data: str | None = None
    recipe: str | None = None
    config: str | None = None
    start: str | None = None
    seed: int | None = None
    cache: str | None = None
    settings: Sequence[Sequence[Any]] = ()
    seconds: float = 10.0
    out: str = ""
    told: str = ""
    part: Mapping[str, int] | None = None
    die_in: str | None = None
    die_at: int = -1
