"""Beam search: the `beam` best beginnings side by side, every row of the batch at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from headway.search import Hypotheses, Hypothesis, Step, Watch
from headway.search.stepwise import LARGE


def beam(
    step: Step,
    state: Any,
    begin: int,
    end: int,
    limits: Sequence[int],
    device: torch.device,
    width: int,
    nbest: int = 1,
    length_penalty: float = 1.0,
    prefixes: Sequence[Sequence[int]] | None = None,
    watch: Watch | None = None,
    close: float = 0.0,
) -> Hypotheses:
    """The `nbest` best of what a beam of this width finds in each row, ordered by log p / ((5 + length) / 6)^α.

    A row stops when it has `nbest` ended hypotheses and no beginning that is still alive can become better than the
    worst of them: its log p cannot rise, and at best it is divided by the penalty of the longest length allowed.
    """
    rows = [
        _Row(limit, length_penalty, tuple(prefixes[i]) if prefixes else (), close) for i, limit in enumerate(limits)
    ]
    if not rows:
        return []
    state.select(torch.arange(len(rows), device=device).repeat_interleave(width))
    alive = list(range(len(rows)))
    tokens = torch.full((len(rows) * width,), begin, dtype=torch.long, device=device)
    score = torch.full((len(rows), width), -torch.inf, device=device)
    score[:, 0] = 0.0  # all beams begin alike: only the first counts
    for position in range(max(limits, default=0) + 1):
        logits, state = step(tokens, state)
        log_p = logits.float().log_softmax(-1).view(len(alive), width, -1)
        _force(log_p, [rows[i] for i in alive], position, end)
        V = log_p.shape[-1]
        # of twice the width at least `width` do not end: one beam can end only once
        best, flat = (score[..., None] + log_p).flatten(1).topk(min(2 * width, width * V), dim=-1)
        found = zip(best.tolist(), flat.tolist(), log_p.flatten(1).gather(1, flat).tolist(), strict=True)
        for i in alive:
            rows[i].steps += 1
        kept = [rows[i].extend(*one, V, width, end, position) for i, one in zip(alive, found, strict=True)]
        if watch is not None:
            watch(tuple)  # which tokens stay is known at the end only
        going = [n for n, i in enumerate(alive) if not rows[i].finished(nbest)]
        if not going:
            break
        parents = [n * width + parent for n in going for parent, _, _ in kept[n]]
        tokens = torch.tensor([token for n in going for _, token, _ in kept[n]], device=device)
        score = torch.tensor([[s for _, _, s in kept[n]] for n in going], device=device)
        state.select(torch.tensor(parents, device=device), same_sources=len(going) == len(alive))
        alive = [alive[n] for n in going]
    return [row.best(nbest) for row in rows]


@dataclass(slots=True)
class _Row:
    """One row of the batch: the beginnings in its beam, and what has ended."""

    limit: int
    alpha: float
    prefix: tuple[int, ...]
    close: float = 0.0
    near: bool = False
    beams: list[tuple[tuple[int, ...], tuple[float, ...]]] = field(default_factory=lambda: [((), ())])
    ended: list[Hypothesis] = field(default_factory=list)
    highest: float = -torch.inf
    steps: int = 0

    def extend(
        self,
        scores: list[float],
        flat: list[int],
        log_p: list[float],
        V: int,
        width: int,
        end: int,
        position: int,
    ) -> list[tuple[int, int, float]]:
        """Take the best continuations; returns (parent beam, token, score) of the beams that go on, `width` of them.

        scores of the whole, flat (parent beam × V + token) and log_p of the token alone, best first
        """
        grown, kept, last = [], [], 0
        for score, index, own in zip(scores, flat, log_p, strict=True):
            parent, token = divmod(index, V)
            if score == -torch.inf or len(kept) == width:
                break
            last += 1
            tokens, chances = self.beams[parent]
            chances = (*chances, own)
            if token == end:
                self.ended.append(Hypothesis(tokens, chances))
            elif position >= self.limit:
                self.ended.append(Hypothesis(tokens, chances[:-1], finished=False))
            else:
                grown.append(((*tokens, token), chances))
                kept.append((parent, token, score))
        self._look(scores[max(0, last - 2) : last + 1])
        self.beams, self.highest = grown, kept[0][2] if kept else -torch.inf
        while len(kept) < width:  # fewer continuations than beams: the rest are dead
            kept.append((kept[0][0] if kept else 0, end, -torch.inf))
            grown.append(((), ()))
        return kept

    def _look(self, falling: Sequence[float]) -> None:
        """Note whether neighbours among these are so near that another order of sums might exchange them."""
        for one, other in pairwise(falling):
            self.near = self.near or one - other < self.close * max(1.0, abs(one) / LARGE)

    def finished(self, nbest: int) -> bool:
        if self.highest == -torch.inf:
            return True
        if len(self.ended) < nbest:
            return False
        worst = sorted(map(self.value, self.ended), reverse=True)[nbest - 1]
        return worst >= self.highest / penalty(self.limit + 1 if self.alpha > 0 else 1, self.alpha)

    def value(self, hypothesis: Hypothesis) -> float:
        """What hypotheses are ordered by; one that was cut stands behind all that have ended."""
        value = hypothesis.score / penalty(len(hypothesis.tokens) + 1, self.alpha)
        return value if hypothesis.finished else value - 1e9

    def best(self, nbest: int) -> list[Hypothesis]:
        unique = {hypothesis.tokens: hypothesis for hypothesis in sorted(self.ended, key=self.value)}
        best = sorted(unique.values(), key=self.value, reverse=True)
        self._look([self.value(hypothesis) for hypothesis in best[: nbest + 1]])
        return [replace(hypothesis, calls=self.steps, close=self.near) for hypothesis in best[:nbest]]


def penalty(length: int, alpha: float) -> float:
    """((5 + length) / 6)^α (Wu et al. 2016, equation 14); length counts END."""
    return ((5 + length) / 6) ** alpha


def _force(log_p: Tensor, rows: Sequence[_Row], position: int, end: int) -> None:
    """Allow a row that is still in its prefix nothing but the prefix's token, at that token's own log probability.

    A token that can never be written has none, and counts nothing: it was given, and the rest is chosen behind it.
    """
    for n, row in enumerate(rows):
        if position < len(row.prefix):
            token = row.prefix[position]
            own = log_p[n, :, token].clone()
            log_p[n] = -torch.inf
            log_p[n, :, token] = own.masked_fill(own == -torch.inf, 0.0)
