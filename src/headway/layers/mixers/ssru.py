"""The simpler simple recurrent unit: a running mean that learns what to forget (Kim et al. 2019)."""

import torch
from torch import Tensor, nn

from headway.kernels.linear import linear
from headway.kernels.running_mean import running_mean
from headway.layers.cache import Past
from headway.layers.mixers._ordered import Ordered
from headway.settings import Branch


class Settings(Branch):
    bidirectional: bool = True
    "Half of the width reads from the end, wherever the future may be seen; else all of it reads from the beginning."


class Ssru(Ordered):
    """cₜ = fₜ ⊙ cₜ₋₁ + (1 − fₜ) ⊙ W xₜ with fₜ = σ(W_f xₜ + b_f); the output is max(0, cₜ).

    Gates know nothing of the state, so every product is one over all positions. At padding f is 1: the state passes.
    """

    def __init__(self, settings: Settings, width: int, rate: float, causal: bool = False):
        super().__init__(causal)
        self.backward = width // 2 if settings.bidirectional and not causal else 0
        self.value, self.forget = nn.Linear(width, width, bias=False), nn.Linear(width, width)

    def read(self, x: Tensor, keys: Tensor | None, state: Past | None) -> Tensor:
        value = linear(x, self.value.weight)
        forget = linear(x, self.forget.weight, self.forget.bias).sigmoid()
        if keys is not None:
            forget = forget.masked_fill(~keys[:, :, None], 1.0)
        if state is not None:
            held = running_mean(value, forget, None if state.newest is None else state.newest[:, 0])
            state.append(held)
            return held.relu()
        sizes = [x.shape[2] - self.backward, self.backward]
        parts = zip(torch.split(value, sizes, -1), torch.split(forget, sizes, -1), (False, True), strict=True)
        means = [running_mean(v, f, reverse=back) for v, f, back in parts if v.shape[2]]
        return (torch.cat(means, -1) if len(means) > 1 else means[0]).relu()
