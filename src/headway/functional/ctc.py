"""Connectionist temporal classification (Graves et al. 2006): frames that know nothing of its length write a sequence.

Every frame writes a token or the blank, which is number 0. What a path through the frames says is read off by writing
repetitions once and dropping blanks then, so `a a – a b b` says `a a b`. Many paths say the same; the probability of a
sequence is that of all of them together. Here one row at a time, as the paper has it; `headway.kernels.ctc` is fast.

Letters: L frames, T tokens of the sequence, V vocabulary with the blank. States s of a row are the tokens with blanks
around them, z = (–, y₁, –, y₂, …, y_T, –), 2T + 1 of them.
"""

from collections.abc import Sequence
from itertools import groupby, pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

BLANK = 0


def collapse(path: Sequence[int]) -> list[int]:
    """What a path says: repetitions once, then no blanks (Graves et al. 2006, section 3.1).

    >>> collapse([0, 5, 5, 0, 5, 7])
    [5, 5, 7]
    """
    return [token for token, _ in groupby(path) if token != BLANK]


def frames_needed(labels: Sequence[int]) -> int:
    """The fewest frames that can say it: one a token, and a blank between two that are equal."""
    return len(labels) + sum(first == second for first, second in pairwise(labels))


def states(labels: Int[Tensor, " T"]) -> tuple[Int[Tensor, " S"], Float[Tensor, " S"]]:
    """(z, 1 where the blank before a token may be skipped: before another token than the last), S = 2T + 1."""
    z = labels.new_zeros(2 * len(labels) + 1)
    z[1::2] = labels
    skips = torch.zeros(len(z))
    skips[1:2], skips[3::2] = 1.0, (labels[1:] != labels[:-1]).to(skips)
    return z, skips


def log_likelihood(log_p: Float[Tensor, "L V"], labels: Int[Tensor, " T"]) -> Float[Tensor, ""]:
    """log p(labels): the sum over all paths that say them; minus infinity where the frames are too few.

    αⱼ(s) = pⱼ(z_s) [αⱼ₋₁(s) + αⱼ₋₁(s−1) + skips(s) αⱼ₋₁(s−2)]; a path ends in the last token or the blank behind it
    (equations 6 to 8). Every α is divided by its sum, whose logarithms add up (section 4.1).
    """
    z, skips = states(labels)
    before = torch.cat([log_p.new_ones(1), log_p.new_zeros(len(z))])  # α with the state before the first in front
    total = log_p.new_zeros(())
    for chances in log_p.exp():
        step = _entered(before, skips) + before[1:]
        alpha = chances[z] * step
        total = total + alpha.sum().log()
        before = torch.cat([log_p.new_zeros(1), alpha / alpha.sum()])
    return total + before[-2:].sum().log()


def chain(log_p: Float[Tensor, "L V"], labels: Int[Tensor, " T"]) -> Float[Tensor, " N"]:
    """log p(y_t | y₁ … y_{t−1}) for every token, then that nothing follows: N = T + 1 parts of the log likelihood.

    That a sequence begins with y₁ … y_t is that some frame is the first to write y_t, whatever comes behind it:
    ψ_t = Σⱼ pⱼ(y_t) [αⱼ₋₁(blank before y_t) + skips αⱼ₋₁(y_{t−1})]  (Watanabe et al. 2017, algorithm 2).
    """
    z, skips = states(labels)
    before = torch.cat([log_p.new_ones(1), log_p.new_zeros(len(z))])
    began = log_p.new_zeros(len(labels))
    for chances in log_p.exp():
        entered = _entered(before, skips)
        began = began + (chances[z] * entered)[1::2]
        before = torch.cat([log_p.new_zeros(1), chances[z] * (entered + before[1:])])
    psi = torch.cat([log_p.new_ones(1), began, before[-2:].sum()[None]])
    return psi[1:].log() - psi[:-1].log()


def best_path(log_p: Float[Tensor, "L V"], labels: Int[Tensor, " T"]) -> Int[Tensor, " L"]:
    """The most probable path that says the labels: the recursion of `log_likelihood` with max in the place of +."""
    z, skips = states(labels)
    closed = skips.log()  # minus infinity where no blank may be skipped
    best = torch.cat([log_p.new_zeros(1), log_p.new_full((len(z),), -torch.inf)])
    came = []
    for own in log_p:
        skipped = torch.cat([best.new_full((1,), -torch.inf), best[:-2]]) + closed.to(best)
        best, steps = torch.stack([best[1:], best[:-1], skipped]).max(0)
        best, came = torch.cat([best.new_full((1,), -torch.inf), best + own[z]]), [*came, steps]
    state = len(z) - 1 if best[-1] >= best[-2] else len(z) - 2
    path = []
    for steps in reversed(came):
        path.append(z[state])
        state -= int(steps[state])
    return torch.stack(path[::-1]) if path else labels.new_zeros(0)


def _entered(before: Tensor, skips: Tensor) -> Tensor:
    """What comes into every state from another; (S + 1) α with the state before the first in front -> (S)."""
    return before[:-1] + skips.to(before) * torch.cat([before.new_zeros(1), before[:-2]])
