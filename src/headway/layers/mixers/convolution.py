"""A window that slides over the elements: each position takes from its neighbours by learned taps (Wu et al. 2019)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headway.errors import UsageError
from headway.kernels.dropout import dropout
from headway.kernels.linear import linear
from headway.layers.cache import Past
from headway.layers.mixers._ordered import Ordered
from headway.settings import Branch, Count


class Settings(Branch):
    kernel: Count = 7
    "Taps of the window: odd, with the position in the middle, or, where the future is hidden, as the last."
    depthwise: bool = True
    "Each channel its own taps, between two matrices; false for a matrix a tap, so weights grow with the kernel."
    normed: bool = False
    "Whether a norm and a swish stand behind depthwise taps, as in a Conformer."


class Convolution(Ordered):
    """Gated convolutions. σ is the sigmoid, k the kernel, and zeros stand before the first element and behind the last.

    depthwise    W₃ Σⱼ wⱼ ⊙ gᵢ₊ⱼ with g = (W₁x + b₁) ⊙ σ(W₂x + b₂): the block of Wu et al. 2019 (figure 2b) with taps of
                 its own for each channel, neither shared nor normalized
    otherwise    (Σⱼ Wⱼ xᵢ₊ⱼ + b) ⊙ σ(Σⱼ Vⱼ xᵢ₊ⱼ + c): the gated linear unit of Dauphin et al. 2017 (equation 1)

    normed       W₃ swish(norm(Σⱼ wⱼ ⊙ gᵢ₊ⱼ)), the convolution of Gulati et al. 2020 (figure 2)

    What the taps read is dropped in training, as in Gehring et al. 2017.
    """

    def __init__(self, settings: Settings, width: int, rate: float, causal: bool = False):
        super().__init__(causal)
        kernel, self.depthwise, self.rate = settings.kernel, settings.depthwise, rate
        if not causal and kernel % 2 == 0:
            raise UsageError(f"a window around a position is odd, and kernel is {kernel}: choose {kernel + 1}")
        if settings.normed and not self.depthwise:
            raise UsageError("normed is for depthwise taps: leave depthwise true, or normed false")
        self.reach, self.behind = kernel - 1, 0 if causal else kernel // 2
        self.gated = nn.Linear(width if self.depthwise else kernel * width, 2 * width)
        if self.depthwise:
            self.taps = nn.Parameter(torch.empty(width, 1, kernel))
            nn.init.kaiming_uniform_(self.taps, a=5**0.5)
            self.norm = nn.LayerNorm(width) if settings.normed else None
            self.output = nn.Linear(width, width)

    def read(self, x: Tensor, keys: Tensor | None, state: Past | None) -> Tensor:
        T = x.shape[1]
        g = self._gate(x) if self.depthwise else x
        if keys is not None:
            g = g.masked_fill(~keys[:, :, None], 0.0)
        g = dropout(g, self.rate if self.training else 0.0)
        if state is not None:
            g = state.append(g)
        before = self.reach + T - self.behind - g.shape[1]
        g = F.pad(g, (0, 0, before, self.behind))  # (B, T + k - 1, D)
        if not self.depthwise:
            return self._gate(torch.cat([g[:, j : j + T] for j in range(self.reach + 1)], -1))
        # as a picture of height 1 its channels may lie last, and nothing is moved; conv1d would copy
        picture = F.conv2d(g.transpose(1, 2)[:, :, None], self.taps[:, :, None], groups=g.shape[2])
        y = picture[:, :, 0].transpose(1, 2)
        return linear(y if self.norm is None else F.silu(self.norm(y)), self.output.weight, self.output.bias)

    def _gate(self, x: Tensor) -> Tensor:
        return F.glu(linear(x, self.gated.weight, self.gated.bias))
