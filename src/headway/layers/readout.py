"""Many vectors become one, where the answer is about the whole."""

from typing import Literal

import torch
from torch import Tensor, nn

from headway.batch import Memory
from headway.functional.attention import softmax

Pooling = Literal["mean", "sum", "max", "attention", "first"]

UNIT = 16
"""A sum is counted in so many elements, so that it begins about as large as a mean."""


class Readout(nn.Module):
    """(B, S, D) -> (B, D); zeros for a row without elements.

    mean        every element counts the same
    sum         every element counts the same, and many count more than few: what elements add up to can be learned
                (Xu et al. 2019)
    max         each number the largest of all elements
    attention   a learned query decides how much each element counts (Yang et al. 2016)
    first       the first element alone speaks for all (Devlin et al. 2019)
    """

    def __init__(self, pooling: Pooling, width: int):
        super().__init__()
        self.pooling = pooling
        if pooling == "attention":
            self.query = nn.Linear(width, 1, bias=False)

    def forward(self, memory: Memory) -> Tensor:
        x, keys = memory.x, memory.keys
        if x.shape[1] == 0:
            return x.sum(1)
        found = self._read(x, keys)
        return found if keys is None else found.masked_fill(~keys.any(-1, keepdim=True), 0.0)

    def _read(self, x: Tensor, keys: Tensor | None) -> Tensor:
        """The vector of every row that has elements."""
        if self.pooling == "first":
            return x[:, 0]
        if self.pooling == "max":
            return (x if keys is None else x.masked_fill(~keys[..., None], torch.finfo(x.dtype).min)).amax(1)
        if self.pooling == "attention":
            weights = softmax(self.query(x).transpose(1, 2), None if keys is None else keys[:, None, :])
            return (weights @ x)[:, 0]
        if self.pooling == "mean" and keys is None:
            return x.mean(1)
        share = torch.ones_like(x[:, :, 0]) if keys is None else keys.to(x.dtype)
        parts = UNIT if self.pooling == "sum" else share.sum(-1, keepdim=True).clamp(min=1)
        return (share[:, None, :] @ x)[:, 0] / parts
