"""Many vectors become one: each way against a loop, and padding without influence."""

import pytest
import torch
from torch import Tensor

from building import D, memory_of, no_gradient_is_missing
from comparing import close, gradients
from headway.batch import Memory
from headway.functional.masks import padding
from headway.layers.readout import UNIT, Readout

WAYS = ["mean", "sum", "max", "attention", "first"]
LENGTHS = [5, 7, 1]


def by_loop(way: str, readout: Readout, vectors: Tensor) -> Tensor:
    """Of one row without padding."""
    if way == "mean":
        return sum(vectors) / len(vectors)
    if way == "sum":
        return sum(vectors) / UNIT
    if way == "max":
        return torch.stack([max(column) for column in vectors.T])
    if way == "first":
        return vectors[0]
    scores = [torch.exp(readout.query.weight[0] @ vector) for vector in vectors]
    return sum(score / sum(scores) * vector for score, vector in zip(scores, vectors, strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_a_loop_over_the_real_elements(way):
    memory, readout = memory_of(LENGTHS), Readout(way, D)
    found = readout(memory)
    for row, length in enumerate(LENGTHS):
        close(found[row], by_loop(way, readout, memory.x[row, :length]))


@pytest.mark.parametrize("way", WAYS)
def test_without_padding_no_mask_is_needed(way):
    memory, readout = memory_of([6, 6]), Readout(way, D)
    assert memory.keys is None
    close(readout(memory), readout(Memory(memory.x, torch.ones(2, 6, dtype=torch.bool))))


@pytest.mark.parametrize("way", WAYS)
def test_padding_gets_no_gradient(way):
    memory, readout = memory_of(LENGTHS), Readout(way, D)
    x = memory.x.requires_grad_()
    (gradient,) = gradients(readout(memory), [x])
    assert not gradient[~memory.keys].any() and gradient.any(-1).any(-1).all()


def test_the_learned_query_learns():
    readout = Readout("attention", D)
    no_gradient_is_missing(readout, (readout(memory_of(LENGTHS)) ** 2).sum())
    assert all(not list(Readout(way, D).parameters()) for way in WAYS if way != "attention")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lengths", [[0, 5], [0, 0]])
def test_a_row_without_elements_is_zeros_and_learns_nothing(way, lengths):
    x = memory_of([5, 5]).x[:, : max(lengths)].requires_grad_()
    found = Readout(way, D)(Memory(x, padding(torch.tensor(lengths), max(lengths))))
    assert found.shape == (2, D) and not found[0].any()
    (gradient,) = gradients(found, [x])
    assert not gradient[0].any() and gradient.isfinite().all()
