"""The losses against torch's own and against numbers worked by hand."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from comparing import DTYPES, close, gradients, randoms, same
from headway.functional.losses import absolute_error, binary_cross_entropy, cross_entropy, squared_error

N, V = 7, 5
TARGETS = torch.tensor([0, 4, 2, 2, 1, 3, 4])
COUNTED = torch.tensor([True, True, False, True, True, False, True])
WEIGHTS = torch.tensor([0.5, 2.0, 1.0, 3.0, 0.25])


def test_cross_entropy_worked_by_hand():
    # probabilities (1/2, 1/4, 1/4) and (1/8, 1/8, 3/4); right are number 1 and number 2
    logits = torch.tensor([[2.0, 1, 1], [1, 1, 6]], dtype=torch.float64).log()
    total, count = cross_entropy(logits, torch.tensor([1, 2]), torch.ones(2, dtype=torch.bool))
    assert total.item() == pytest.approx(math.log(4) + math.log(4 / 3))
    assert count.item() == 2


def test_smoothing_worked_by_hand():
    # with 0.3 spread over three: 0.7 × −log p(right) + 0.1 × (−log 1/2 − log 1/4 − log 1/4)
    logits = torch.tensor([[2.0, 1, 1]], dtype=torch.float64).log()
    total, _ = cross_entropy(logits, torch.tensor([1]), torch.tensor([True]), smoothing=0.3)
    assert total.item() == pytest.approx(0.7 * math.log(4) + 0.1 * (math.log(2) + 2 * math.log(4)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_cross_entropy_is_torchs_with_label_smoothing(smoothing, dtype):
    right = torch.where(COUNTED, TARGETS, -100)
    same(
        lambda logits: cross_entropy(logits, TARGETS, COUNTED, smoothing)[0],
        lambda logits: F.cross_entropy(logits, right, reduction="sum", label_smoothing=smoothing),
        randoms((N, V), dtype=dtype),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy_with_weights_is_torchs_and_so_is_its_mean(dtype):
    right, weights = torch.where(COUNTED, TARGETS, -100), WEIGHTS.to(dtype)

    def mean(logits):
        total, count = cross_entropy(logits, TARGETS, COUNTED, 0.0, weights)
        return total / count

    same(mean, lambda logits: F.cross_entropy(logits, right, weights), randoms((N, V), dtype=dtype))


def test_weights_and_smoothing_together_weigh_each_row_by_its_target():
    (logits,) = randoms((N, V), dtype=torch.float64)
    total, count = cross_entropy(logits, TARGETS, COUNTED, 0.2, WEIGHTS.double())
    expected = 0.0
    for row in range(N):
        if COUNTED[row]:
            p = logits[row].softmax(-1)
            q = [0.2 / V + (0.8 if j == TARGETS[row] else 0) for j in range(V)]
            expected -= WEIGHTS[TARGETS[row]].item() * sum(q[j] * math.log(p[j]) for j in range(V))
    assert total.item() == pytest.approx(expected)
    assert count.item() == pytest.approx(0.5 + 0.25 + 1 + 2 + 0.25)


def test_what_is_not_counted_has_no_influence_whatever_its_target():
    (logits,) = (x.requires_grad_() for x in randoms((N, V)))
    nothing = torch.where(COUNTED, TARGETS, -1)
    for weights in (None, WEIGHTS):
        total, count = cross_entropy(logits, nothing, COUNTED, 0.1, weights)
        close(total, cross_entropy(logits[COUNTED], TARGETS[COUNTED], COUNTED[COUNTED], 0.1, weights)[0])
        assert count == (5 if weights is None else WEIGHTS[TARGETS[COUNTED]].sum())
        assert not gradients(total, [logits])[0][~COUNTED].any()


def test_a_table_of_targets_is_its_rows_one_after_another():
    (logits,) = randoms((2, 3, V))
    targets, counted = TARGETS[:6].view(2, 3), COUNTED[:6].view(2, 3)
    for found, expected in zip(
        cross_entropy(logits, targets, counted, 0.1),
        cross_entropy(logits.flatten(0, 1), targets.flatten(), counted.flatten(), 0.1),
        strict=True,
    ):
        close(found, expected)


def test_nothing_counted_is_zero_of_zero():
    (logits,) = (x.requires_grad_() for x in randoms((N, V)))
    total, count = cross_entropy(logits, TARGETS, torch.zeros(N, dtype=torch.bool))
    assert total == 0 and count == 0
    assert not gradients(total, [logits])[0].any()


def test_binary_cross_entropy_worked_by_hand():
    # yes with 3/4, no with 4/5: −(log 3/4 + log 4/5) / 2 labels; a yes that counts double: −(2 log 3/4 + log 4/5) / 2
    logits = torch.tensor([[math.log(3), -math.log(4)]])
    targets = torch.tensor([[1.0, 0.0]])
    total, count = binary_cross_entropy(logits, targets)
    assert total.item() == pytest.approx(-(math.log(3 / 4) + math.log(4 / 5)) / 2)
    assert count == 1
    weighted, _ = binary_cross_entropy(logits, targets, torch.tensor([2.0, 7.0]))
    assert weighted.item() == pytest.approx(-(2 * math.log(3 / 4) + math.log(4 / 5)) / 2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", [False, True])
def test_binary_cross_entropy_is_that_of_every_label_by_itself(weighted, dtype):
    targets = (torch.rand(N, V, dtype=dtype) < 0.4).to(dtype)
    weights = WEIGHTS.to(dtype) if weighted else torch.ones(V, dtype=dtype)

    def by_label(logits):
        p = logits.sigmoid()
        return -(weights * targets * p.log() + (1 - targets) * (1 - p).log()).sum() / V

    def ours(logits):
        return binary_cross_entropy(logits, targets, weights if weighted else None)[0]

    same(ours, by_label, randoms((N, V), dtype=dtype))


ERRORS = [(squared_error, 13, F.mse_loss), (absolute_error, 5, F.l1_loss)]


@pytest.mark.parametrize(("error", "expected", "torchs"), ERRORS)
def test_an_error_worked_by_hand(error, expected, torchs):
    total, count = error(torch.tensor([1.0, 2, 5]), torch.tensor([1.0, 4, 2]))
    assert (total, count) == (expected, 3)


@pytest.mark.parametrize(("error", "expected", "torchs"), ERRORS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_error_is_torchs(dtype, error, expected, torchs):
    same(lambda x, y: error(x, y)[0], lambda x, y: torchs(x, y, reduction="sum"), randoms((N,), (N,), dtype=dtype))


@pytest.mark.parametrize("weighted", [False, True])
@given(cuts=st.lists(st.integers(0, N), max_size=4), seed=st.integers(0, 99))
def test_the_parts_of_a_batch_add_up_to_the_loss_of_the_whole(weighted, cuts, seed):
    (logits,) = randoms((N, V), dtype=torch.float64, seed=seed)
    weights = WEIGHTS.double() if weighted else None
    labels = F.one_hot(TARGETS, V).double()
    bounds = [0, *sorted(cuts), N]
    pieces = [slice(a, b) for a, b in pairwise(bounds)]

    def losses(part: slice) -> list[torch.Tensor]:
        return [
            *cross_entropy(logits[part], TARGETS[part], COUNTED[part], 0.1, weights),
            *binary_cross_entropy(logits[part], labels[part], weights),
            *squared_error(logits[part, 0], logits[part, 1]),
            *absolute_error(logits[part, 0], logits[part, 1]),
        ]

    for parts, whole in zip(zip(*map(losses, pieces), strict=True), losses(slice(None)), strict=True):
        close(torch.stack(parts).sum(), whole)
