"""What positions write that are decided all at once: the most probable token of each, of one decoder or of several."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from headway.batch import END
from headway.decoders._writer import Writer, without_specials
from headway.kernels.argmax import argmax
from headway.search import Choice

ROWS = 256
"""Positions whose log probabilities exist at once (V = 8,000: 8 MiB), as in training."""
OTHERS = 3
"""Next best tokens that a trace names."""


class Reading(NamedTuple):
    """Of N positions.

    tokens     (N) the most probable, END not among them
    log_p      (N) its log probability
    end        (N) the log probability of END; minus infinity where it can not be written
    best       (N, at most 1 + OTHERS) the most probable tokens, and
    best_p     their log probabilities; without columns where no trace is wanted
    """

    tokens: Tensor
    log_p: Tensor
    end: Tensor
    best: Tensor
    best_p: Tensor

    def choice(self, place: int, where: int, call: int = 0) -> Choice:
        """Why the token of one of these positions was written at `where` of its sequence."""
        others = zip(self.best[place, 1:].tolist(), self.best_p[place, 1:].tolist(), strict=True)
        return Choice("token", where, int(self.tokens[place]), float(self.log_p[place]), tuple(others), call)


def read(writers: Sequence[Writer], states: Sequence[Tensor], ends: bool = False, trace: bool = False) -> Reading:
    """What the positions of these states (N, D), one of each writer, say together; with `ends` END is possible."""
    pieces = []
    for log_p in log_probabilities(writers, states, ends):
        end = log_p[:, END].clone()
        log_p[:, END] = -torch.inf
        tokens = argmax(log_p)
        best_p, best = log_p.topk(min(1 + OTHERS, max(1, log_p.shape[1] - END - 1)) if trace else 0)
        pieces.append((tokens, log_p.gather(1, tokens[:, None])[:, 0], end, best, best_p))
    return Reading(*map(torch.cat, zip(*pieces, strict=True)))


def log_probabilities(writers: Sequence[Writer], states: Sequence[Tensor], ends: bool) -> Iterator[Tensor]:
    """(n, V) log probabilities of ROWS positions after another, of several writers the mean of their probabilities."""
    for start in range(0, max(1, len(states[0])), ROWS):
        each = []
        for writer, x in zip(writers, states, strict=True):
            logits = without_specials(F.linear(x[start : start + ROWS], writer.output, writer.output_bias).float())
            if not ends:
                logits[:, END] = -torch.inf
            each.append(logits.log_softmax(-1))
        yield together(each)


def together(log_p: Sequence[Tensor]) -> Tensor:
    """The logarithm of the mean of probabilities."""
    return log_p[0] if len(log_p) == 1 else torch.stack(list(log_p)).logsumexp(0) - math.log(len(log_p))
