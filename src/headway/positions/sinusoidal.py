"""Sines and cosines of growing wavelength, added to the vectors (Vaswani et al. 2017, section 3.5)."""

import torch
from torch import Tensor

from headway.positions import Position
from headway.settings import Branch


class Settings(Branch):
    base: float = 10_000.0
    "Wavelengths run from 2π to 2π × base."


class Sinusoidal(Position):
    def __init__(self, settings: Settings, width: int, heads: int, causal: bool = False):
        super().__init__()
        self.base, self.width = settings.base, width
        self.register_buffer("table", sinusoids(512, width, settings.base), persistent=False)

    def add(self, x: Tensor, offset: int = 0) -> Tensor:
        end = offset + x.shape[1]
        if end > len(self.table):
            self.table = sinusoids(2 * end, self.width, self.base).to(self.table)
        return x + self.table[offset:end].to(x.dtype)


def sinusoids(positions: int, width: int, base: float) -> Tensor:
    """(positions, width) e[m, 2i] = sin(m / base^(2i/width)), e[m, 2i+1] = cos of the same."""
    m = torch.arange(positions, dtype=torch.float64)[:, None]
    angle = m * base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)[:, :width].float()
