"""Sampling: every token drawn by its probability, of all or of the most probable ones.

Every row draws from random numbers of its own, a function of the seed and of the row's number alone: the same row gets
the same draws whoever stands beside it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headway.search import Hypotheses, Step, Watch
from headway.search.stepwise import stepwise


def sample(
    step: Step,
    state: Any,
    begin: int,
    end: int,
    limits: Sequence[int],
    device: torch.device,
    seed: int,
    numbers: Sequence[int],
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    prefixes: Sequence[Sequence[int]] | None = None,
    scores: bool = False,
    trace: bool = False,
    watch: Watch | None = None,
) -> Hypotheses:
    """One hypothesis a row; its log probabilities are the model's own, before temperature and cuts.

    numbers    the number of each row, from which with the seed its random numbers come
    """
    length = max(limits, default=0) + 1
    rows = [np.random.default_rng([seed, number]).random(length, np.float32) for number in numbers]
    noise = torch.from_numpy(np.array(rows).reshape(len(rows), length)).to(device)

    def choose(logits: Tensor, rows: Tensor, position: int) -> Tensor:
        return drawn(logits, noise[rows, position], temperature, top_k, top_p)

    return stepwise(step, state, begin, end, limits, device, choose, prefixes, scores, trace, watch)


def drawn(
    logits: Tensor, noise: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """(R, V), (R) uniform in [0, 1) -> (R) tokens, each with the probability that softmax(logits / temperature) gives.

    top_k    of the k most probable tokens only (Fan et al. 2018)
    top_p    of the fewest most probable tokens only that have this probability together (Holtzman et al. 2020)

    The tokens stand in the order of the vocabulary when the noise picks one, so that rounding cannot exchange any two.
    """
    logits = logits.float() / temperature
    if top_k is not None and top_k < logits.shape[-1]:
        least = logits.topk(top_k, dim=-1).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    p = logits.softmax(-1)
    if top_p is not None:
        falling = p.sort(-1, descending=True).values
        needed = falling.cumsum(-1) - falling < top_p  # those before it do not reach it
        p = p.masked_fill(p < falling.masked_fill(~needed, 1.0).amin(-1, keepdim=True), 0.0)
    reached = p.cumsum(-1)
    asked = (1 - noise[:, None]) * reached[:, -1:]  # above 0 and at most the sum: never one without probability
    return torch.searchsorted(reached, asked)[:, 0]
