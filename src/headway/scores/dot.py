"""q · k, without a scale (Luong et al. 2015): grows with √K, so it wants small weights to begin with."""

from torch import Tensor

from headway.scores import Score
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class Dot(Score):
    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()

    def features(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor, float]:
        return q, k, 1.0
