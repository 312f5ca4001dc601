"""The learning rate over the steps: closed formulas of the step, so that the step is all there is to remember."""

import math
from typing import Literal

Schedule = Literal["constant", "inverse_sqrt", "cosine", "linear"]


def rate_at(schedule: Schedule, step: int, steps: int, warmup: int) -> float:
    """The share of the full learning rate at a step from 0.

    It grows evenly over the warm-up. After it: `constant` stays; `inverse_sqrt` falls as 1/√step (Vaswani et al. 2017,
    equation 3); `cosine` (Loshchilov & Hutter 2017) and `linear` fall to zero at `steps`.
    """
    if step < warmup:
        return (step + 1) / warmup
    if schedule == "constant":
        return 1.0
    if schedule == "inverse_sqrt":
        return math.sqrt(max(warmup, 1) / max(step + 1, 1))
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    return 0.5 * (1 + math.cos(math.pi * done)) if schedule == "cosine" else 1 - done
