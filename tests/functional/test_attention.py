"""The definition of attention, against numbers worked by hand and against torch's own modules."""

import inspect
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from comparing import DTYPES, close, gradients, matrices, randoms, same
from headway.functional import attention as formula
from headway.functional.attention import attention, multi_head_attention, self_attention, self_attention_by_hand
from headway.functional.masks import causal, padding

B, T, S, H, K, Kv = 2, 5, 7, 3, 11, 13
D = 12  # = 3 heads of 4


# -------------------------------------------------------------------------------------------- the lecture, with numbers

# Four vectors of two numbers (x, y). The matrices are chosen so that every exponential is a power of two:
#     q = 2 ln 2 × (x + y, y, 0, 0)      k = (x, y, x + y, y)      v = (x, y, x + y, x − y)      √K = √4 = 2
# so   αᵢⱼ = q·k / 2 = ln 2 × ((xᵢ + yᵢ) xⱼ + yᵢ yⱼ)   and   exp αᵢⱼ = 2 to the power of ((xᵢ + yᵢ) xⱼ + yᵢ yⱼ).
#
#     i    (x, y)     powers for j = 1 … 4    exp αᵢⱼ           sum    α'ᵢⱼ
#     1    (1, 0)      1   0   1   2          2   1   2   4      9     2/9   1/9   2/9   4/9
#     2    (0, 1)      1   1   2   1          2   2   4   2     10     1/5   1/5   2/5   1/5
#     3    (1, 1)      2   1   3   3          4   2   8   8     22     2/11  1/11  4/11  4/11
#     4    (2, −1)     1  −1   0   3          2   ½   1   8    11½     4/23  1/23  2/23  16/23
#
# b¹ = (2 v¹ + 1 v² + 2 v³ + 4 v⁴) / 9 = (2 + 0 + 2 + 8, 0 + 1 + 2 − 4, …) / 9 = (12, −1, 11, 13) / 9, and so on.
VECTORS = torch.tensor([[1.0, 0], [0, 1], [1, 1], [2, -1]], dtype=torch.float64)
W_Q = 2 * math.log(2) * torch.tensor([[1.0, 1], [0, 1], [0, 0], [0, 0]], dtype=torch.float64)
W_K = torch.tensor([[1.0, 0], [0, 1], [1, 1], [0, 1]], dtype=torch.float64)
W_V = torch.tensor([[1.0, 0], [0, 1], [1, 1], [1, -1]], dtype=torch.float64)
WEIGHTS = torch.tensor([[2.0, 1, 2, 4], [2, 2, 4, 2], [4, 2, 8, 8], [4, 1, 2, 16]], dtype=torch.float64)
SUMS = torch.tensor([9.0, 10, 22, 23], dtype=torch.float64)[:, None]
OUTPUTS = torch.tensor([[12.0, -1, 11, 13], [10, 4, 14, 6], [28, 2, 30, 26], [38, -13, 25, 51]], dtype=torch.float64)


@pytest.mark.parametrize("way", [self_attention_by_hand, self_attention])
def test_the_four_vectors_of_the_lecture_give_the_numbers_worked_on_paper(way):
    b, weights = way(VECTORS, W_Q, W_K, W_V)
    close(weights, WEIGHTS / SUMS)
    close(b, OUTPUTS / SUMS)


def test_the_four_vectors_as_one_head_of_the_general_attention():
    q, k, v = ((VECTORS @ W.T)[None, None] for W in (W_Q, W_K, W_V))
    b, weights = attention(q, k, v)
    close(weights[0, 0], WEIGHTS / SUMS)
    close(b[0, 0], OUTPUTS / SUMS)


def test_behind_a_causal_mask_the_four_vectors_see_only_what_was_before():
    q, k, v = ((VECTORS @ W.T)[None, None] for W in (W_Q, W_K, W_V))
    _, weights = attention(q, k, v, causal(4, 4)[None, None])
    expected = [[1, 0, 0, 0], [1 / 2, 1 / 2, 0, 0], [4 / 14, 2 / 14, 8 / 14, 0], [4 / 23, 1 / 23, 2 / 23, 16 / 23]]
    close(weights[0, 0], torch.tensor(expected, dtype=torch.float64))


# ------------------------------------------------------------------------ one vector at a time, as matrices, with heads


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("N", [1, 5])
def test_by_hand_and_as_matrices_are_the_same_in_value_and_gradient(N, dtype):
    inputs = randoms((N, 7), (3, 7), (3, 7), (3, 7), dtype=dtype)
    for which in (0, 1):
        same(lambda *x: self_attention_by_hand(*x)[which], lambda *x: self_attention(*x)[which], inputs)  # noqa: B023


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_head_of_attention_is_self_attention_as_matrices(dtype):
    def one_head(a, *learned):
        return attention(*((a @ W.T)[None, None] for W in learned))[0][0, 0]

    same(one_head, lambda *x: self_attention(*x)[0], randoms((5, 7), (3, 7), (3, 7), (3, 7), dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_many_heads_are_as_many_attentions_side_by_side(dtype):
    def head_by_head(x, memory, W_q, W_k, W_v, W_o):
        size, rows = D // H, []
        for a, m in zip(x, memory, strict=True):
            parts = []
            for h in range(H):
                own = slice(h * size, (h + 1) * size)
                q, k, v = a @ W_q[own].T, m @ W_k[own].T, m @ W_v[own].T
                parts.append((q @ k.T / math.sqrt(size)).softmax(-1) @ v)
            rows.append(torch.cat(parts, -1) @ W_o.T)
        return torch.stack(rows)

    def ours(x, memory, *learned):
        return multi_head_attention(x, memory, *learned, heads=H)[0]

    inputs = randoms((B, T, D), (B, S, D), dtype=dtype)
    same(ours, head_by_head, [*inputs, *matrices(4, D, D, dtype=dtype)])


def test_merging_undoes_splitting_and_heads_are_neighbouring_numbers():
    (x,) = randoms((B, T, D))
    heads = formula.split_heads(x, H)
    assert heads.shape == (B, H, T, D // H)
    close(heads[1, 2, 3], x[1, 3, 8:12])
    close(formula.merge_heads(heads), x)


def test_the_spread_of_unscaled_scores_grows_with_the_square_root_of_the_head_size():
    for size in (16, 1024):
        q, k = randoms((1, 1, 200, size), (1, 1, 200, size), dtype=torch.float64)
        assert formula.dot(q, k).std().item() == pytest.approx(math.sqrt(size), rel=0.05)
        assert formula.scaled_dot(q, k).std().item() == pytest.approx(1, rel=0.05)


# ---------------------------------------------------------------------------------------------- against torch's modules

MASKS = {
    "none": None,
    "causal": causal(T, S, offset=2)[None, None],
    "padding": padding(torch.tensor([4, 7]), S)[:, None, None],
    "both": causal(T, S, offset=2)[None, None] & padding(torch.tensor([4, 7]), S)[:, None, None],
    "by head": torch.rand(B, H, T, S, generator=torch.Generator().manual_seed(3)) < 0.7,
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("biased", [False, True])
def test_attention_is_torchs_scaled_dot_product_attention(mask, biased, dtype):
    def theirs(q, k, v, bias=None):
        added = mask if bias is None else bias
        if bias is not None and mask is not None:
            added = bias.expand(B, H, T, S).masked_fill(~mask, -math.inf)
        return F.scaled_dot_product_attention(q, k, v, added)

    def ours(q, k, v, bias=None):
        return attention(q, k, v, mask, bias)[0]

    shapes = [(B, H, T, K), (B, H, S, K), (B, H, S, Kv)] + ([(1, H, T, S)] if biased else [])
    same(ours, theirs, randoms(*shapes, dtype=dtype))


def copied(dtype: torch.dtype) -> tuple[nn.MultiheadAttention, list[torch.Tensor]]:
    """torch's module, and its matrices as ours."""
    theirs = nn.MultiheadAttention(D, H, bias=False, batch_first=True, dtype=dtype)
    W_q, W_k, W_v = theirs.in_proj_weight.detach().chunk(3)
    return theirs, [W.clone().requires_grad_() for W in (W_q, W_k, W_v, theirs.out_proj.weight.detach())]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("look", ["none", "causal", "padding", "both"])
@pytest.mark.parametrize("cross", [False, True])
def test_multi_head_attention_is_torchs_in_value_weights_and_every_gradient(cross, look, dtype):
    theirs, learned = copied(dtype)
    x, memory = (a.requires_grad_() for a in randoms((B, T, D), (B, S, D), dtype=dtype))
    memory = memory if cross else x
    lengths, reading = torch.tensor([4, memory.shape[1]]), memory.shape[1]
    real, earlier = padding(lengths, reading), causal(T, reading, offset=reading - T)
    mask, how = None, {}
    if look in ("padding", "both"):
        mask, how = real[:, None, None], {"key_padding_mask": ~real}
    if look in ("causal", "both"):
        mask = earlier[None, None] if mask is None else mask & earlier
        how["attn_mask"] = ~earlier
    found, weights = multi_head_attention(x, memory, *learned, heads=H, mask=mask)
    expected, their_weights = theirs(x, memory, memory, average_attn_weights=False, **how)
    close(found, expected)
    close(weights, their_weights)

    inputs = [x, memory] if cross else [x]
    ours = gradients(found, [*inputs, *learned])
    torchs = gradients(expected, [*inputs, theirs.in_proj_weight, theirs.out_proj.weight])
    for one, other in zip([*ours[:-4], torch.cat(ours[-4:-1]), ours[-1]], torchs, strict=True):
        close(one, other)


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_mask_that_is_off_by_one_does_not_pass_this_comparison(shift):
    q, k, v = randoms((B, H, S, K), (B, H, S, K), (B, H, S, Kv))
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    close(attention(q, k, v, causal(S, S)[None, None])[0], expected)
    with pytest.raises(AssertionError, match="not close"):
        close(attention(q, k, v, causal(S, S, offset=shift)[None, None])[0], expected)


@pytest.mark.parametrize("swap", [(0, 1), (0, 2), (1, 2)])
def test_queries_keys_and_values_in_the_wrong_order_do_not_pass_this_comparison(swap):
    inputs = randoms((B, H, S, K), (B, H, S, K), (B, H, S, K))
    expected = F.scaled_dot_product_attention(*inputs)
    i, j = swap
    inputs[i], inputs[j] = inputs[j], inputs[i]
    with pytest.raises(AssertionError, match="not close"):
        close(attention(*inputs)[0], expected)


# ----------------------------------------------------------------------------------------------------------- properties


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_position_that_may_look_nowhere_gives_zeros_and_no_gradient(dtype):
    q, k, v, bias = (
        x.requires_grad_() for x in randoms((B, H, T, K), (B, H, S, K), (B, H, S, Kv), (B, H, T, S), dtype=dtype)
    )
    mask = torch.ones(B, 1, T, S, dtype=torch.bool)
    mask[1, 0, 3] = False
    output, weights = attention(q, k, v, mask, bias)
    assert output[1, :, 3].count_nonzero() == 0 and weights[1, :, 3].count_nonzero() == 0
    for gradient in gradients(output, [q, k, v, bias]):
        assert gradient.isfinite().all()
    dq, dk, dv, dbias = gradients(output[1, :, 3], [q, k, v, bias])
    assert not any(gradient.any() for gradient in (dq, dk, dv, dbias))
    close(output[0], attention(q[:1], k[:1], v[:1], None, bias[:1])[0][0])


def test_where_nobody_may_look_anywhere_all_is_zero():
    q, k, v = (x.requires_grad_() for x in randoms((B, H, T, K), (B, H, S, K), (B, H, S, Kv)))
    output, weights = attention(q, k, v, torch.zeros(1, 1, 1, S, dtype=torch.bool))
    assert not output.any() and not weights.any()
    assert not any(gradient.any() for gradient in gradients(output, [q, k, v]))


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_rows_of_weights_sum_to_one_and_fall_only_where_may_be_looked(mask):
    q, k, v = randoms((B, H, T, K), (B, H, S, K), (B, H, S, Kv), dtype=torch.float64)
    _, weights = attention(q, k, v, mask)
    close(weights.sum(-1), torch.ones(B, H, T, dtype=torch.float64))
    if mask is not None:
        assert not weights.masked_select(~mask.expand(B, H, T, S)).any()
        assert weights.masked_select(mask.expand(B, H, T, S)).gt(0).all()


def test_without_positions_the_order_of_the_elements_does_not_matter():
    (a,) = randoms((B, S, D), dtype=torch.float64)
    learned = matrices(4, D, D, dtype=torch.float64)
    order = torch.randperm(S)
    straight, _ = multi_head_attention(a, a, *learned, heads=H)
    shuffled, _ = multi_head_attention(a[:, order], a[:, order], *learned, heads=H)
    close(shuffled, straight[:, order])


def test_one_element_looks_at_itself_alone():
    q, k, v = randoms((B, H, 1, K), (B, H, 1, K), (B, H, 1, Kv))
    output, weights = attention(q, k, v, causal(1, 1)[None, None])
    close(weights, torch.ones(B, H, 1, 1))
    close(output, v)


def test_a_score_far_above_the_others_takes_all_the_weight_and_overflows_nothing():
    scores = torch.tensor([[1e4, 0.0, -1e4]])
    close(formula.softmax(scores), torch.tensor([[1.0, 0.0, 0.0]]))
    close(formula.softmax(scores, torch.tensor([[False, True, True]])), torch.tensor([[0.0, 1.0, 0.0]]))


def test_only_the_three_matrices_are_learned():
    assert list(inspect.signature(self_attention).parameters) == ["a", "W_q", "W_k", "W_v"]
    inputs = [x.requires_grad_() for x in randoms((4, 3), (2, 3), (2, 3), (2, 3), dtype=torch.float64)]
    assert torch.autograd.gradcheck(lambda *x: self_attention(*x)[0], inputs)
    assert all(gradient.any() for gradient in gradients(self_attention(*inputs)[0], inputs))


def test_the_score_and_the_normalizer_are_asked_and_the_bias_stands_between_them():
    q, k, v, bias = randoms((B, H, T, K), (B, H, S, K), (B, H, S, Kv), (1, H, T, S), dtype=torch.float64)

    def halves(scores, mask):
        return scores / 2

    output, weights = attention(q, k, v, None, bias, formula.dot, halves)
    close(weights, (q @ k.transpose(2, 3) + bias) / 2)
    close(output, weights @ v)


def test_dropped_weights_are_scaled_up_and_the_weights_returned_are_those_before():
    q, k = randoms((1, 1, 40, K), (1, 1, 40, K), dtype=torch.float64)
    output, weights = attention(q, k, torch.eye(40, dtype=torch.float64)[None, None], dropout=0.25)
    close(weights, attention(q, k, k)[1])
    kept = output != 0
    close(output[kept], weights[kept] / 0.75)
    assert 0.68 < kept.double().mean() < 0.82  # 1600 draws: five standard deviations are 0.054


def test_a_swapped_axis_is_refused_by_its_shape():
    q, k, v = randoms((B, H, T, K), (B, H, S, K), (B, H, S, Kv))
    with pytest.raises(Exception, match=r"[Tt]ype-check"):
        attention(q, k.transpose(1, 2), v)
    with pytest.raises(Exception, match=r"[Tt]ype-check"):
        attention(q, k, v, torch.ones(B, T, S))
