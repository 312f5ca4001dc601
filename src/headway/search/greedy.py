"""Greedy: the most probable token at every step, until END or the limit."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from headway.kernels.argmax import argmax, best_and_lead
from headway.search import Hypotheses, Step, Watch
from headway.search.stepwise import is_close, stepwise


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
    watch: Watch | None = None,
    close: float = 0.0,
) -> Hypotheses:
    """One hypothesis a row.

    limits     tokens that each row may have, END not counted
    prefixes   tokens that each row begins with
    close      logits that are nearer to each other make a row's hypothesis `close`; 0 where nobody asks
    """
    near = torch.zeros(len(limits), dtype=torch.bool, device=device)

    def choose(logits: Tensor, active: Tensor, position: int) -> Tensor:
        if not close:
            return argmax(logits)
        best, lead = best_and_lead(logits)
        near[active] |= is_close(logits, best, lead, close)
        return best

    found = stepwise(step, state, begin, end, limits, device, choose, prefixes, scores, trace, watch)
    return [[replace(one, close=flag)] for (one,), flag in zip(found, near.tolist(), strict=True)]
