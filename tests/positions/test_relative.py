"""T5's relative positions, against the definition of its buckets in whole numbers."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from comparing import close
from headway.errors import UsageError
from headway.positions import relative
from headway.positions.relative import Relative

WIDTH, HEADS = 12, 3


def made(causal: bool, **settings) -> Relative:
    torch.manual_seed(3)
    return Relative(relative.Settings(**settings), WIDTH, HEADS, causal)


def bucket_of(distance: int, causal: bool, buckets: int = 32, longest: int = 128) -> int:
    """Half of the buckets hold one distance each; bucket m of the others begins where

    (distance / half)^rest reaches (longest / half)^m, here without a logarithm that could round.
    """
    own = buckets if causal else buckets // 2
    far = max(-distance, 0) if causal else abs(distance)
    half = own // 2
    rest = own - half
    found = far
    if far >= half:
        reached = [m for m in range(rest) if far**rest * half**m >= longest**m * half**rest]
        found = half + max(reached)
    return found + (own if not causal and distance > 0 else 0)


@pytest.mark.parametrize(("T", "S", "offset"), [(300, 300, 0), (1, 200, 199), (4, 9, 5), (1, 1, 0)])
@pytest.mark.parametrize("causal", [False, True])
def test_a_score_gets_the_number_of_its_distances_bucket(causal, T, S, offset):
    position = made(causal)
    bucket = torch.tensor([[bucket_of(j - i - offset, causal) for j in range(S)] for i in range(T)])
    close(position.bias(T, S, offset), position.table[:, bucket][None])


@given(st.integers(4, 40), st.integers(21, 300), st.booleans())
def test_of_any_number_of_buckets_up_to_any_distance(buckets, longest, causal):
    position = made(causal, buckets=buckets, longest=longest)
    own = buckets if causal else 2 * (buckets // 2)
    bucket = torch.tensor([bucket_of(j - 150, causal, own, longest) for j in range(320)])
    close(position.bias(1, 320, 150)[0, :, 0], position.table[:, bucket])


def test_the_published_buckets():
    """The values that T5 itself computes for 32 buckets up to 128, both ways."""
    assert [bucket_of(-n, False) for n in (0, 7, 8, 11, 12, 15, 16, 31, 64, 90, 91, 5000)] == [
        *(0, 7, 8, 8, 9, 9, 10, 11, 14, 14, 15, 15)
    ]


@pytest.mark.parametrize("causal", [False, True])
def test_a_gradient_goes_to_the_buckets_that_occur(causal):
    position = made(causal)
    position.bias(3, 3).sum().backward()
    used = {bucket_of(j - i, causal) for i in range(3) for j in range(3)}
    assert {n for n in range(32) if position.table.grad[:, n].any()} == used
    assert position.table.grad.sum().item() == HEADS * 9


@pytest.mark.parametrize(("buckets", "longest"), [(3, 128), (2, 128), (32, 8), (32, 5)])
def test_buckets_that_cannot_be_are_refused_in_words(buckets, longest):
    with pytest.raises(UsageError, match="there must be at least 4 buckets, and the distance must be larger"):
        made(False, buckets=buckets, longest=longest)
