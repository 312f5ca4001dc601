"""max(0, αᵢⱼ) / n over the n positions in sight (Wortsman et al. 2023): weights need not compete."""

from torch import Tensor

from headway.functional.normalizers import relu
from headway.normalizers import Normalizer
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class Relu(Normalizer):
    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()

    def weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        return relu(scores, mask)
