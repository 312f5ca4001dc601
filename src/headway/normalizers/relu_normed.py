"""max(0, αᵢⱼ), and the weighted sums are normalized instead (ReLA, Zhang et al. 2021): sparse, with null rows."""

import torch
from torch import Tensor, nn

from headway.functional.normalizers import gated_rms_norm, rectified
from headway.normalizers import Normalizer
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class ReluNormed(Normalizer):
    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(heads, 1, head_size))
        self.gate = nn.Parameter(torch.zeros(heads, 1, head_size))

    def weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        return rectified(scores, mask)

    def finish(self, output: Tensor) -> Tensor:
        return gated_rms_norm(output, self.scale.to(output.dtype), self.gate.to(output.dtype))
