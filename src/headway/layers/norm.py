"""Add & norm: the norms (Ba et al. 2016; Zhang & Sennrich 2019) and where they stand around a layer."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from headway.kernels.dropout import dropout_add


def norm_of(kind: str, width: int) -> nn.Module:
    """`layer`: mean 0 and spread 1, with a learned scale and shift; `rms`: spread 1 and a learned scale only."""
    return nn.LayerNorm(width) if kind == "layer" else nn.RMSNorm(width, eps=1e-6)


class Residual(nn.Module):
    """x + f(x), normalized.

    post    norm(x + f(x)), as in the original (Vaswani et al. 2017)
    pre     x + f(norm(x)), which trains without a careful warm-up (Xiong et al. 2020)

    While it is `closed`, f(x) counts nothing.
    """

    def __init__(self, kind: str, place: str, width: int, rate: float):
        super().__init__()
        self.norm, self.pre, self.rate = norm_of(kind, width), place == "pre", rate
        self.closed = False

    def forward(self, x: Tensor, layer: Callable[[Tensor], Tensor]) -> Tensor:
        update = layer(self.norm(x) if self.pre else x)
        if self.closed:  # it was computed all the same, so that states of writing go on
            update = torch.zeros_like(update)
        x = dropout_add(x, update, self.rate if self.training else 0.0)
        return x if self.pre else self.norm(x)
