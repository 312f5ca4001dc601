"""exp αᵢⱼ / (1 + Σ exp αᵢₗ) (Miller 2023): a softmax that may also look at nothing."""

from torch import Tensor

from headway.functional.normalizers import softmax_plus_one
from headway.normalizers import Normalizer
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class SoftmaxPlusOne(Normalizer):
    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()

    def weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        return softmax_plus_one(scores, mask)
