"""A learned vector for every position, added to the vectors. It knows no position beyond the last one it was given."""

import torch
from torch import Tensor, nn

from headway.errors import DataError, Where
from headway.positions import Position
from headway.settings import Branch, Count


class Settings(Branch):
    positions: Count = 512
    "How many positions there are vectors for; a longer row is refused."


class Learned(Position):
    def __init__(self, settings: Settings, width: int, heads: int, causal: bool = False):
        super().__init__()
        self.positions = settings.positions
        self.table = nn.Parameter(torch.empty(settings.positions, width).normal_(std=0.02))

    def add(self, x: Tensor, offset: int = 0) -> Tensor:
        end = offset + x.shape[1]
        if end > len(self.table):
            raise DataError(
                Where("input"),
                f"a row of {end} positions, and learned positions end at {len(self.table)}; "
                "set position.positions higher, set data.max_length, or use sinusoidal or rotary positions",
            )
        return x + self.table[offset:end].to(x.dtype)
