"""Queries and keys are turned by an angle that grows with their position (Su et al. 2021, RoFormer, equation 34).

A score that is a dot product then depends on the distance of two positions only; the additive score learns what to
make of the turning. Values are not turned, and cross-attention is not.
"""

import torch
from torch import Tensor

from headway.errors import UsageError
from headway.positions import Position
from headway.settings import Branch


class Settings(Branch):
    base: float = 10_000.0
    "Wavelengths run from 2π to 2π × base."


class Rotary(Position):
    def __init__(self, settings: Settings, width: int, heads: int, causal: bool = False):
        super().__init__()
        self.head_size, self.base = width // heads, settings.base
        if self.head_size % 2:
            raise UsageError(
                f"rotary positions turn pairs of numbers, and a head has {self.head_size}: choose another width"
            )
        self.register_buffer("table", angles(512, self.head_size, self.base), persistent=False)

    def turn(self, x: Tensor, offset: int = 0) -> Tensor:
        end = offset + x.shape[2]
        if end > self.table.shape[1]:
            self.table = angles(2 * end, self.head_size, self.base).to(self.table)
        cos, sin = self.table[:, offset:end].to(x.dtype)
        left, right = x.chunk(2, -1)
        return x * cos + torch.cat([-right, left], -1) * sin


def angles(positions: int, head_size: int, base: float) -> Tensor:
    """(2, positions, head_size) cosine and sine of m × base^(−2i/K); pair i is the numbers i and i + K/2 of a head."""
    m = torch.arange(positions, dtype=torch.float64)[:, None]
    angle = m * base ** (-torch.arange(0, head_size, 2, dtype=torch.float64) / head_size)
    angle = torch.cat([angle, angle], -1)
    return torch.stack([angle.cos(), angle.sin()]).float()
