"""σ(αᵢⱼ − log n) over the n positions in sight (Ramapuram et al. 2024): each weight for itself."""

from torch import Tensor

from headway.functional.normalizers import sigmoid
from headway.normalizers import Normalizer
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class Sigmoid(Normalizer):
    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()

    def weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        return sigmoid(scores, mask)
