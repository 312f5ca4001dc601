"""q · k / √K (Vaswani et al. 2017, equation 1): the spread of the scores stays near 1 whatever the head size."""

from torch import Tensor

from headway.scores import Score
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class ScaledDot(Score):
    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()

    def features(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor, float]:
        return q, k, q.shape[-1] ** -0.5
