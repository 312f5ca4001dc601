"""The nearest weights that sum to one (Martins & Astudillo 2016): most of them are exactly zero."""

from torch import Tensor

from headway.functional.normalizers import sparsemax
from headway.normalizers import Normalizer
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class Sparsemax(Normalizer):
    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()

    def weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        return sparsemax(scores, mask)
