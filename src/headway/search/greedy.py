"""Greedy: the most probable token at every step, until END or the limit."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from headway.kernels.argmax import argmax
from headway.search import Hypotheses, Hypothesis, Step


def greedy(
    step: Step,
    state: Any,
    begin: int,
    end: int,
    limits: Sequence[int],
    device: torch.device,
    prefixes: Sequence[Sequence[int]] | None = None,
    scores: bool = False,
) -> Hypotheses:
    """One hypothesis a row. Rows that have ended leave the batch once they are half of it.

    limits     tokens that each row may have, END not counted
    prefixes   tokens that each row begins with
    """
    R = len(limits)
    written = torch.full((R, max(limits, default=0) + 1), end, dtype=torch.long, device=device)
    log_p = torch.zeros(written.shape, device=device) if scores else None
    forced = _forced(prefixes, written) if prefixes is not None and any(map(len, prefixes)) else None
    allowed = torch.tensor(list(limits), device=device)
    active = torch.arange(R, device=device)  # which rows are still in the batch
    going = torch.ones(R, dtype=torch.bool, device=device)  # which of these have not ended
    tokens = torch.full((R,), begin, dtype=torch.long, device=device)
    for position in range(written.shape[1]):
        logits, state = step(tokens, state)
        tokens = argmax(logits)
        if forced is not None and position < forced.shape[1]:
            given = forced[active, position]
            tokens = torch.where(given >= 0, given, tokens)
        if log_p is not None:
            log_p[active, position] = _log_p_of(logits, tokens)
        written[active, position] = tokens
        going = going & (tokens != end) & (position < allowed[active])
        remaining = int(going.sum())
        if remaining == 0:
            break
        if remaining * 2 <= len(active):
            keep = going.nonzero()[:, 0]
            state.select(keep)
            active, tokens, going = active[keep], tokens[keep], going[keep]
    return [[hypothesis] for hypothesis in _collect(written, log_p, limits, end)]


def _collect(written: Tensor, log_p: Tensor | None, limits: Sequence[int], end: int) -> list[Hypothesis]:
    found = []
    for row, (tokens, limit) in enumerate(zip(written.tolist(), limits, strict=True)):
        tokens = tokens[: limit + 1]
        finished = end in tokens
        length = tokens.index(end) if finished else limit
        chances = () if log_p is None else tuple(log_p[row, : length + finished].tolist())
        found.append(Hypothesis(tuple(tokens[:length]), chances, finished))
    return found


def _forced(prefixes: Sequence[Sequence[int]], like: Tensor) -> Tensor:
    table = like.new_full((len(prefixes), max(map(len, prefixes))), -1)
    for row, prefix in enumerate(prefixes):
        table[row, : len(prefix)] = torch.tensor(list(prefix), dtype=torch.long)
    return table


def _log_p_of(logits: Tensor, tokens: Tensor) -> Tensor:
    """(R) of each row's token; 0 for one that was forced and can never be written."""
    own = logits.gather(-1, tokens[:, None])[:, 0]
    return torch.where(own == -torch.inf, 0.0, own - logits.logsumexp(-1))
