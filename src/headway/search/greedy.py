"""Greedy: the most probable token at every step, until END or the limit."""

from collections.abc import Sequence
from typing import Any

import torch

from headway.kernels.argmax import argmax
from headway.search import Hypotheses, Step
from headway.search.stepwise import stepwise


def greedy(
    step: Step,
    state: Any,
    begin: int,
    end: int,
    limits: Sequence[int],
    device: torch.device,
    prefixes: Sequence[Sequence[int]] | None = None,
    scores: bool = False,
    trace: bool = False,
) -> Hypotheses:
    """One hypothesis a row.

    limits     tokens that each row may have, END not counted
    prefixes   tokens that each row begins with
    """
    return stepwise(step, state, begin, end, limits, device, lambda logits, *_: argmax(logits), prefixes, scores, trace)
