"""A learned number for every range of distances is added to the scores (T5, Raffel et al. 2020, section 2.1).

The layers of a stack share the numbers; each head has its own. Near distances have a number each, farther ones share.
"""

import torch
from torch import Tensor, nn

from headway.errors import UsageError
from headway.functional.positions import bucket_starts, buckets_of, by_distance, distances
from headway.positions import Position
from headway.settings import Branch, Count


class Settings(Branch):
    buckets: Count = 32
    "Numbers a head has; where positions see both ways, half of them are for what lies ahead."
    longest: Count = 128
    "The distance from which on all share a number."


class Relative(Position):
    gives_bias = True
    starts: Tensor

    def __init__(self, settings: Settings, width: int, heads: int, causal: bool = False):
        super().__init__()
        self.both_ways = not causal
        own = settings.buckets if causal else settings.buckets // 2
        if own < 2 or settings.longest <= own // 2:
            raise UsageError(
                f"relative positions with {settings.buckets} buckets up to a distance of {settings.longest}: there "
                "must be at least 4 buckets, and the distance must be larger than half of them"
            )
        self.table = nn.Parameter(torch.empty(heads, own if causal else 2 * own).normal_(std=width**-0.5))
        self.register_buffer("starts", torch.tensor(bucket_starts(own, settings.longest)), persistent=False)

    def bias(self, T: int, S: int, offset: int = 0) -> Tensor:
        bucket = buckets_of(distances(T, S, offset, self.table.device), self.starts, self.both_ways)
        return by_distance(self.table[:, bucket], S)
