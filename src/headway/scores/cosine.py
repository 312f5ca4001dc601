"""g cos(q, k) with a learned g for every head (Henry et al. 2020): scores that cannot grow without bound."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from headway.scores import Score
from headway.settings import Branch

SMALL = 1e-6
"""Vectors shorter than this are not made longer."""


class Settings(Branch):
    norm: Literal["length", "rms"] = "length"
    "Length 1 and one g a head; or RMSNorm(q) · RMSNorm(k) / √K, each norm with a scale for every number (QK-norm)."
    scale: Annotated[float, Field(gt=0)] = 10.0
    "What g begins with, where the length is 1."


class Cosine(Score):
    """Queries and keys are normalized before positions turn them, as in recent models, so that turning stays one."""

    def __init__(self, settings: Settings, heads: int, head_size: int):
        super().__init__()
        self.by_length = settings.norm == "length"
        if self.by_length:
            self.scale = nn.Parameter(torch.full((heads, 1, 1), settings.scale))
        else:
            self.query, self.key = (nn.Parameter(torch.ones(heads, 1, head_size)) for _ in range(2))

    def queries(self, q: Tensor) -> Tensor:
        if self.by_length:
            return F.normalize(q, dim=-1, eps=SMALL) * self.scale.to(q.dtype)
        return F.rms_norm(q, q.shape[-1:], eps=SMALL) * self.query.to(q.dtype)

    def keys(self, k: Tensor) -> Tensor:
        if self.by_length:
            return F.normalize(k, dim=-1, eps=SMALL)
        return F.rms_norm(k, k.shape[-1:], eps=SMALL) * self.key.to(k.dtype)

    def features(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor, float]:
        return q, k, 1.0 if self.by_length else q.shape[-1] ** -0.5
