"""What every normalizer promises: weights where may be looked, zeros elsewhere, and never NaN."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from building import no_gradient_is_missing
from comparing import DTYPES, close, gradients, randoms
from headway.functional.masks import causal, padding
from headway.normalizers import NORMALIZERS, Normalizer

B, H, T, S, K = 2, 3, 5, 7, 4
NAMES = pytest.mark.parametrize("name", NORMALIZERS.names())
MASKS = {
    "none": None,
    "causal": causal(T, S)[None, None],
    "padding": padding(torch.tensor([4, 7]), S)[:, None, None],
    "both": causal(T, S)[None, None] & padding(torch.tensor([4, 7]), S)[:, None, None],
    "an empty row": torch.ones(B, 1, T, S, dtype=torch.bool).index_fill(2, torch.tensor([1]), False),
    "all empty": torch.zeros(1, 1, 1, S, dtype=torch.bool),
}


def made(name: str, dtype: torch.dtype = torch.float64) -> Normalizer:
    return NORMALIZERS.build(NORMALIZERS.choose(name), H, K).to(dtype)


@NAMES
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("spread", [1.0, 1e3])
def test_weights_are_finite_and_zero_where_may_not_be_looked(name, mask, dtype, spread):
    scores = (randoms((B, H, T, S), dtype=dtype)[0] * spread).requires_grad_()
    weights = made(name, dtype).weights(scores, mask)
    assert weights.shape == scores.shape and weights.dtype == dtype and weights.isfinite().all()
    (gradient,) = gradients(weights, [scores])
    assert gradient.isfinite().all()
    if mask is not None:
        hidden = ~mask.expand(B, H, T, S)
        assert not weights[hidden].any() and not gradient[hidden].any()


@NAMES
@given(st.integers(1, S), st.integers(0, 4), st.integers(0, 99))
def test_more_padding_changes_nothing(name, length, more, seed):
    (scores,) = randoms((1, H, T, length), dtype=torch.float64, seed=seed)
    padded = torch.cat([scores, torch.full((1, H, T, more), 77.0, dtype=torch.float64)], -1)
    mask = padding(torch.tensor([length]), length + more)[:, None, None]
    close(made(name).weights(padded, mask)[..., :length], made(name).weights(scores, None))


@NAMES
def test_each_position_is_normalized_by_itself_and_order_does_not_matter(name):
    normalizer, (scores,) = made(name), randoms((B, H, T, S), dtype=torch.float64)
    whole, order = normalizer.weights(scores, None), torch.randperm(S)
    close(normalizer.weights(scores[:, :, 2:3], None), whole[:, :, 2:3])
    close(normalizer.weights(scores[1:], None), whole[1:])
    close(normalizer.weights(scores[..., order], None), whole[..., order])


@NAMES
def test_a_higher_score_never_gets_a_lower_weight(name):
    (scores,) = randoms((B, H, T, S), dtype=torch.float64)
    weights = made(name).weights(scores.sort(-1).values, None)
    assert (weights.diff(dim=-1) >= -1e-12).all() and (weights >= 0).all()


@NAMES
@pytest.mark.parametrize("mask", [MASKS["none"], MASKS["both"][:1, :, :2, :3]], ids=["none", "both"])
def test_gradcheck(name, mask):
    inputs = [x.requires_grad_() for x in randoms((1, H, 2, 3), dtype=torch.float64)]
    assert torch.autograd.gradcheck(lambda scores: made(name).weights(scores, mask), inputs)


@NAMES
def test_every_weight_learns(name):
    normalizer = made(name)
    scores, v, uneven = randoms((B, H, T, S), (B, H, S, K), (B, H, T, K), dtype=torch.float64)
    output = normalizer.finish(normalizer.weights(scores.requires_grad_(), None) @ v)
    no_gradient_is_missing(normalizer, (output * uneven).sum())


@NAMES
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_it_finishes_keeps_shape_and_type_and_nothing_stays_nothing(name, dtype):
    normalizer, (output,) = made(name, dtype), randoms((B, H, T, K), dtype=dtype)
    finished = normalizer.finish(output)
    assert finished.shape == output.shape and finished.dtype == dtype
    nothing = torch.zeros(B, H, T, K, dtype=dtype, requires_grad=True)
    assert not normalizer.finish(nothing).any()
    assert gradients(normalizer.finish(nothing), [nothing])[0].isfinite().all()
    close(normalizer.finish(output[1:, :, 2:3]), finished[1:, :, 2:3])
