"""qᵀ W k / √K with a matrix for every head (Luong et al. 2015, "general"): begins as the scaled dot product."""

import torch
from torch import Tensor, nn

from headway.scores import Score
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class Bilinear(Score):
    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.eye(head_size).repeat(heads, 1, 1))

    def queries(self, q: Tensor) -> Tensor:
        return q @ self.weight

    def features(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor, float]:
        return q, k, q.shape[-1] ** -0.5
