"""One token a step for every row of the batch at once, whoever chooses it, until END or the limit."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from headway.search import Choice, Hypotheses, Hypothesis, Step, Watch

Choose = Callable[[Tensor, Tensor, int], Tensor]
"""(logits (R, V), the row that each is (R), the position that is written) -> (R) the tokens taken."""
LARGE = 20.0
"""Logits above this are rounded in proportion to their size."""
RUNNERS_UP = 3
"""The next best tokens that a trace tells."""


def stepwise(
    step: Step,
    state: Any,
    begin: int,
    end: int,
    limits: Sequence[int],
    device: torch.device,
    choose: Choose,
    prefixes: Sequence[Sequence[int]] | None = None,
    scores: bool = False,
    trace: bool = False,
    watch: Watch | None = None,
) -> Hypotheses:
    """One hypothesis a row. Rows that have ended leave the batch once they are half of it.

    limits     tokens that each row may have, END not counted
    prefixes   tokens that each row begins with
    watch      is told every token but END
    """
    R = len(limits)
    written = torch.full((R, max(limits, default=0) + 1), end, dtype=torch.long, device=device)
    log_p = torch.zeros(written.shape, device=device) if scores else None
    told: list[list[Choice]] | None = [[] for _ in limits] if trace else None
    forced = _forced(prefixes, written) if prefixes is not None and any(map(len, prefixes)) else None
    allowed = torch.tensor(list(limits), device=device)
    active = torch.arange(R, device=device)  # which rows are still in the batch
    going = torch.ones(R, dtype=torch.bool, device=device)  # which of these have not ended
    tokens = torch.full((R,), begin, dtype=torch.long, device=device)
    for position in range(written.shape[1]):
        logits, state = step(tokens, state)
        tokens = choose(logits, active, position)
        if forced is not None and position < forced.shape[1]:
            given = forced[active, position]
            tokens = torch.where(given >= 0, given, tokens)
        if log_p is not None:
            log_p[active, position] = log_p_of(logits, tokens)
        if told is not None:
            for row, choice in zip(active[going].tolist(), choices(logits[going], tokens[going], end), strict=True):
                told[row].append(choice(position, position))
        written[active, position] = tokens
        going = going & (tokens != end) & (position < allowed[active])
        if watch is not None:
            watch(partial(_written, active, tokens, going))
        remaining = int(going.sum())
        if remaining == 0:
            break
        if remaining * 2 <= len(active):
            keep = going.nonzero()[:, 0]
            state.select(keep)
            active, tokens, going = active[keep], tokens[keep], going[keep]
    return [[hypothesis] for hypothesis in _collect(written, log_p, told, limits, end)]


def _written(rows: Tensor, tokens: Tensor, real: Tensor) -> Iterator[tuple[int, int]]:
    return zip(rows[real].tolist(), tokens[real].tolist(), strict=True)


def _collect(
    written: Tensor, log_p: Tensor | None, told: list[list[Choice]] | None, limits: Sequence[int], end: int
) -> list[Hypothesis]:
    found = []
    for row, (tokens, limit) in enumerate(zip(written.tolist(), limits, strict=True)):
        tokens = tokens[: limit + 1]
        finished = end in tokens
        length = tokens.index(end) if finished else limit
        chances = () if log_p is None else tuple(log_p[row, : length + finished].tolist())
        trace = None if told is None else tuple(told[row][: length + finished])
        found.append(Hypothesis(tuple(tokens[:length]), chances, finished, calls=length + 1, trace=trace))
    return found


def _forced(prefixes: Sequence[Sequence[int]], like: Tensor) -> Tensor:
    table = like.new_full((len(prefixes), max(map(len, prefixes))), -1)
    for row, prefix in enumerate(prefixes):
        table[row, : len(prefix)] = torch.tensor(list(prefix), dtype=torch.long)
    return table


def is_close(logits: Tensor, best: Tensor, lead: Tensor, close: float) -> Tensor:
    """(R) whether the best of each row of logits leads by less than `close`; by more where it is above LARGE."""
    largest = logits.gather(1, best[:, None])[:, 0].abs()
    return lead < close * (largest / LARGE).clamp_min(1.0)


def log_p_of(logits: Tensor, tokens: Tensor) -> Tensor:
    """(R) of each row's token; 0 for one that was forced and can never be written."""
    own = logits.gather(-1, tokens[:, None])[:, 0]
    return torch.where(own == -torch.inf, 0.0, own - logits.logsumexp(-1))


def choices(logits: Tensor, tokens: Tensor, end: int) -> list[Callable[..., Choice]]:
    """For each of R rows of logits the taken token with its runners-up: (where, call, what) -> Choice."""
    log_p = logits.float().log_softmax(-1)
    best, places = log_p.topk(min(RUNNERS_UP + 1, logits.shape[-1]), dim=-1)
    rows = zip(tokens.tolist(), log_p_of(logits, tokens).tolist(), places.tolist(), best.tolist(), strict=True)
    return [_choice(token, own, list(zip(others, chances, strict=True)), end) for token, own, others, chances in rows]


def _choice(token: int, own: float, best: list[tuple[int, float]], end: int) -> Callable[..., Choice]:
    others = tuple((other, chance) for other, chance in best if other != token and chance > -torch.inf)[:RUNNERS_UP]

    def made(where: int, call: int, what: str | None = None) -> Choice:
        return Choice(what or ("end" if token == end else "token"), where, token, own, others, call)

    return made
