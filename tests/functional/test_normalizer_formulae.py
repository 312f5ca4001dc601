"""The normalizers, against numbers worked by hand, the package `entmax`, and what each is said to be."""

import math

import entmax
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from comparing import DTYPES, close, gradients, randoms, same
from headway.functional import normalizers as formula
from headway.functional.attention import attention, softmax
from headway.functional.masks import causal, padding

B, H, T, S, K = 2, 3, 5, 7, 4
LOG = math.log
MASK = causal(T, S, offset=1)[None, None] & padding(torch.tensor([4, 7]), S)[:, None, None]
THEIRS = {"sparsemax": entmax.sparsemax, "entmax15": entmax.entmax15}
sorting = pytest.mark.parametrize("name", THEIRS)


def row(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)[None, None]


@pytest.mark.parametrize(
    ("name", "scores", "weights"),
    [
        ("rectified", (2, -1, 3, 0), (2, 0, 3, 0)),
        ("relu", (2, -1, 3, 0), (2 / 4, 0, 3 / 4, 0)),
        ("sigmoid", (LOG(3), LOG(9), LOG(1)), (1 / 2, 3 / 4, 1 / 4)),  # 3/(3 + 3), 9/(9 + 3), 1/(1 + 3)
        ("softmax_plus_one", (LOG(1), LOG(2)), (1 / 4, 2 / 4)),
        ("softmax_plus_one", (-800, -900), (0, 0)),
        ("softmax_plus_one", (800, 900 + LOG(1)), (0, 1)),
        ("sparsemax", (2, 1.5, 0, -1), (0.75, 0.25, 0, 0)),  # τ = (2 + 1.5 − 1) / 2
        ("sparsemax", (5, 5, 5, 5), (1 / 4, 1 / 4, 1 / 4, 1 / 4)),
        ("sparsemax", (9, 1), (1, 0)),
        ("entmax15", (1.6, 1.2, -0.2, -3), (0.64, 0.36, 0, 0)),  # τ = 0: 0.8² + 0.6² = 1
        ("entmax15", (7.6, 7.2, 6, -90), (0.64, 0.36, 0, 0)),  # the same, moved; the third lies on the threshold
        ("entmax15", (9, 1), (1, 0)),
    ],
)
def test_the_numbers_worked_on_paper(name, scores, weights):
    close(getattr(formula, name)(row(*scores)), row(*weights))


@pytest.mark.parametrize("dtype", DTYPES)
@sorting
def test_sorting_normalizers_are_the_packages_in_value_and_gradient(name, dtype):
    inputs = randoms((B, H, T, S), dtype=dtype)
    same(getattr(formula, name), lambda x: THEIRS[name](x, dim=-1), inputs)
    ties = [(inputs[0] * 2).round() / 2]
    close(getattr(formula, name)(*ties), THEIRS[name](*ties, dim=-1))


@pytest.mark.parametrize("dtype", DTYPES)
@sorting
def test_behind_a_mask_they_are_the_packages_of_what_is_in_sight(name, dtype):
    (scores,) = (x.requires_grad_() for x in randoms((B, H, T, S), dtype=dtype))
    weights = getattr(formula, name)(scores, MASK)
    (gradient,) = gradients(weights, [scores])
    expected = torch.zeros_like(weights)
    for b, h, t in [(b, h, t) for b in range(B) for h in range(H) for t in range(T)]:
        seen = MASK[b, 0, t]
        expected[b, h, t, seen] = THEIRS[name](scores[b, h, t, seen], dim=-1)
    close(weights, expected)
    close(gradient, gradients(expected, [scores])[0])


@given(st.integers(1, 60), st.floats(0.01, 300), st.integers(0, 99))
@sorting
def test_rows_of_any_length_and_spread_sum_to_one_and_a_shift_changes_nothing(name, length, spread, seed):
    scores = randoms((2, 3, length), seed=seed)[0] * spread
    weights = getattr(formula, name)(scores)
    close(weights.sum(-1), torch.ones(2, 3), 1e-5)
    close(getattr(formula, name)(scores.double() + 5), getattr(formula, name)(scores.double()))


@sorting
def test_in_bfloat16_the_sums_are_as_exact_as_the_scores(name):
    scores = randoms((1, 4, 300))[0].bfloat16()
    weights = getattr(formula, name)(scores)
    assert weights.dtype == torch.bfloat16
    close(weights.float(), getattr(formula, name)(scores.float()), 4e-3)


@sorting
def test_a_row_of_no_keys_is_a_row_of_no_weights(name):
    scores = torch.zeros(2, 3, 0, requires_grad=True)
    weights = getattr(formula, name)(scores, torch.ones(2, 1, 0, dtype=torch.bool))
    weights.sum().backward()
    assert weights.shape == (2, 3, 0)


@pytest.mark.parametrize("name", ["relu", "sigmoid"])
def test_n_is_how_many_positions_a_row_may_look_at(name):
    scores = torch.full((1, 1, 4, 6), 2.0, dtype=torch.float64)
    of = {"relu": lambda n: 2 / n, "sigmoid": lambda n: 1 / (1 + n * math.exp(-2))}[name]
    mask = causal(4, 6)[None, None] & padding(torch.tensor([3]), 6)[:, None, None]
    weights = getattr(formula, name)(scores, mask)
    expected = torch.tensor([of(min(i + 1, 3)) for i in range(4)], dtype=torch.float64)
    close(weights[0, 0, :, 0], expected)
    close(getattr(formula, name)(scores)[0, 0, :, 0], torch.full((4,), of(6), dtype=torch.float64))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mask", [None, MASK], ids=["none", "both"])
def test_softmax_plus_one_is_attention_with_one_more_key_and_value_of_zeros(mask, dtype):
    seen = None if mask is None else torch.nn.functional.pad(mask, (0, 1), value=True)

    def with_zeros(q, k, v):
        k, v = (torch.cat([x, x.new_zeros(B, H, 1, K)], 2) for x in (k, v))
        return attention(q, k, v, seen)[0]

    def ours(q, k, v):
        return attention(q, k, v, mask, normalizer=formula.softmax_plus_one)[0]

    same(ours, with_zeros, randoms((B, H, T, K), (B, H, S, K), (B, H, S, K), dtype=dtype))


def test_relu_attention_is_softmax_attention_over_log_relu_times_its_sum():
    q, k, v = randoms((B, H, T, K), (B, H, S, K), (B, H, S, K), dtype=torch.float64)
    alpha = q @ k.transpose(2, 3) + 3
    logs = alpha.relu().log()
    expected = softmax(logs) @ v * logs.logsumexp(-1, keepdim=True).exp()
    close(formula.rectified(alpha) @ v, expected)


def test_the_gated_norm_is_that_of_all_heads_of_a_position_together():
    x, scale, gate = randoms((B, H, T, K), (H, 1, K), (H, 1, K), dtype=torch.float64)
    found = formula.gated_rms_norm(x, scale, gate, eps=0.0)
    for b in range(B):
        for t in range(T):
            merged = x[b, :, t].flatten()
            normed = torch.nn.functional.rms_norm(merged, (H * K,), eps=0.0)
            expected = scale.flatten() * normed * (gate.flatten() * merged).sigmoid()
            close(found[b, :, t].flatten(), expected)
    assert torch.autograd.gradcheck(formula.gated_rms_norm, [y.requires_grad_() for y in (x, scale, gate)])
