"""1.5-entmax (Peters et al. 2019): between softmax and sparsemax, smooth, with exact zeros."""

from torch import Tensor

from headway.functional.normalizers import entmax15
from headway.normalizers import Normalizer
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class Entmax15(Normalizer):
    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()

    def weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        return entmax15(scores, mask)
