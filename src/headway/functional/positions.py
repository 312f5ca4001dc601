"""Biases of scores that depend on the distance of key and query alone, as formulae."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def distances(T: int, S: int, offset: int = 0, device: torch.device | None = None) -> Int[Tensor, " N"]:
    """Every distance j − i that occurs, in order; the first asking position i is number `offset`."""
    return torch.arange(-(offset + T - 1), S - offset, device=device)


def by_distance(values: Float[Tensor, "H N"], S: int) -> Float[Tensor, "1 H T S"]:
    """A value for every one of the `distances` becomes a table: row i is the values from −i on."""
    return values.unfold(-1, S, 1).flip(-2)[None]


def alibi_slopes(heads: int) -> Float[Tensor, " H"]:
    """m_h = 2^(−8h/H) for h = 1 … H: heads from far-sighted to near-sighted (Press et al. 2022, section 3)."""
    return 2.0 ** (-8 * torch.arange(1, heads + 1, dtype=torch.float64) / heads)


def bucket_starts(buckets: int, longest: int) -> list[int]:
    """The distance at which each bucket but the first begins (Raffel et al. 2020, section 2.1).

    Half of the buckets hold one distance each, the others ranges that grow by a constant factor up to `longest`.
    """
    single = buckets // 2
    rest = buckets - single
    growing = [math.ceil(single * (longest / single) ** (n / rest) - 1e-9) for n in range(rest)]  # 16.000…01 is 16
    return [*range(1, single), *growing]


def buckets_of(distance: Int[Tensor, " N"], starts: Int[Tensor, " M"], both_ways: bool) -> Int[Tensor, " N"]:
    """The bucket of each distance j − i; with `both_ways` what lies ahead has as many buckets of its own.

    Without, what lies ahead is in the first bucket: a causal mask hides it.
    """
    far = distance.abs() if both_ways else (-distance).clamp(min=0)
    found = torch.bucketize(far, starts, right=True)
    return found + (distance > 0) * (len(starts) + 1) if both_ways else found
