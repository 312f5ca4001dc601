"""−m |i − j| is added to the scores, with an m for every head (ALiBi, Press et al. 2022): what is far counts less.

Nothing is learned, and rows longer than any in training are no stranger to it. Where positions see each other both ways
it is symmetric.
"""

from torch import Tensor

from headway.functional.positions import alibi_slopes, by_distance, distances
from headway.positions import Position
from headway.settings import Branch


class Settings(Branch):
    """No settings."""


class Alibi(Position):
    gives_bias = True
    slopes: Tensor

    def __init__(self, settings: Settings, width: int, heads: int, causal: bool = False):
        super().__init__()
        self.register_buffer("slopes", alibi_slopes(heads).float(), persistent=False)

    def bias(self, T: int, S: int, offset: int = 0) -> Tensor:
        far = distances(T, S, offset, self.slopes.device).abs().to(self.slopes.dtype)
        return by_distance(-self.slopes[:, None] * far, S)
