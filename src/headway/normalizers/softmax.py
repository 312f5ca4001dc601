"""exp αᵢⱼ / Σ exp αᵢₗ: positive weights that sum to one."""

from torch import Tensor

from headway.functional.attention import softmax
from headway.normalizers import Normalizer
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class Softmax(Normalizer):
    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()

    def weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        return softmax(scores, mask)
