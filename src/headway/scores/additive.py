"""wᵀ tanh(W q + U k + b) (Bahdanau et al. 2015): a small network that compares each query with each key."""

import torch
from torch import Tensor, nn

from headway.functional.scores import additive
from headway.scores import Score
from headway.settings import Branch, Count


class Settings(Branch):
    hidden: Count | None = None
    "Numbers that the network compares (A), in every head; as many as a head has where none is given."


class Additive(Score):
    is_dot_product = False

    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()
        hidden = settings.hidden or head_size
        bound = (6 / (hidden + 2 * head_size)) ** 0.5  # Xavier for the two as one matrix
        self.query, self.key = (
            nn.Parameter(torch.empty(heads, head_size, hidden).uniform_(-bound, bound)) for _ in range(2)
        )
        self.shift = nn.Parameter(torch.zeros(heads, 1, hidden))
        # Three dimensions, lest an optimizer take the vectors of the heads for the rows of a matrix.
        self.weight = nn.Parameter(torch.empty(heads, 1, hidden).normal_(std=hidden**-0.5))

    def terms(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k = q @ self.query, k @ self.key
        return q, k + self.shift.to(k.dtype), self.weight[:, 0]

    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        return additive(*self.terms(q, k))
