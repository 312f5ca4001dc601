"""The feed-forward layer: looks at one position at a time, the same for all."""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from headway.kernels.dropout import dropout
from headway.kernels.feedforward import relu_feed_forward
from headway.kernels.linear import linear

Activation = Literal["relu", "gelu", "swiglu"]


class FeedForward(nn.Module):
    """D -> F -> D.

    relu      W₂ max(0, W₁x) (Vaswani et al. 2017, equation 2)
    gelu      W₂ gelu(W₁x) (Hendrycks & Gimpel 2016)
    swiglu    W₂ (silu(W₁x) ⊙ W₃x), the hidden width two thirds, so that the parameters are as many (Shazeer 2020)
    """

    def __init__(self, activation: Activation, width: int, hidden: int, rate: float):
        super().__init__()
        self.activation, self.rate = activation, rate
        if activation == "swiglu":
            hidden = max(8, hidden * 2 // 3 // 8 * 8)
            self.gate = nn.Linear(width, hidden)
        self.inner = nn.Linear(width, hidden)
        self.outer = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        rate = self.rate if self.training else 0.0
        inner, outer = self.inner, self.outer
        if self.activation == "relu":
            return relu_feed_forward(x, inner.weight, inner.bias, outer.weight, outer.bias, rate)
        h = linear(x, inner.weight, inner.bias)
        h = F.gelu(h) if self.activation == "gelu" else F.silu(linear(x, self.gate.weight, self.gate.bias)) * h
        return linear(dropout(h, rate), outer.weight, outer.bias)
