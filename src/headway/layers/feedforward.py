"""The feed-forward layer: looks at one position at a time, the same for all."""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from headway.kernels.dropout import dropout, relu_dropout

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
        if self.activation == "relu":
            h = relu_dropout(self.inner(x), rate)
        elif self.activation == "gelu":
            h = dropout(F.gelu(self.inner(x)), rate)
        else:
            h = dropout(F.silu(self.gate(x)) * self.inner(x), rate)
        return self.outer(h)
