"""What every score promises: one number for each query and key, of these two alone."""

import pytest
import torch

from building import no_gradient_is_missing
from comparing import DTYPES, close, gradients, randoms
from headway.scores import SCORES, Score

B, H, T, S, K = 2, 3, 5, 7, 8
NAMES = pytest.mark.parametrize("name", SCORES.names())


def made(name: str, dtype: torch.dtype = torch.float64) -> Score:
    return SCORES.build(SCORES.choose(name), H, K).to(dtype)


@NAMES
@pytest.mark.parametrize("dtype", DTYPES)
def test_it_gives_a_finite_number_for_each_query_and_key_of_each_head(name, dtype):
    q, k = (x.requires_grad_() for x in randoms((B, H, T, K), (B, H, S, K), dtype=dtype))
    scores = made(name, dtype).scores(q, k)
    assert scores.shape == (B, H, T, S) and scores.dtype == dtype and scores.isfinite().all()
    assert all(gradient.isfinite().all() and gradient.any() for gradient in gradients(scores, [q, k]))


@NAMES
def test_a_score_depends_on_its_own_query_key_and_head_alone(name):
    score, (q, k) = made(name), randoms((B, H, T, K), (B, H, S, K), dtype=torch.float64)
    whole = score.scores(q, k)
    close(score.scores(q[:, :, 2:3], k[:, :, 4:5]), whole[:, :, 2:3, 4:5])
    close(score.scores(q[1:], k[1:]), whole[1:])
    other = q.clone()
    other[:, 1] += 1
    changed = score.scores(other, k) != whole
    assert changed[:, 1].all() and not changed[:, [0, 2]].any()


@NAMES
def test_where_it_is_a_dot_product_its_features_say_of_what(name):
    score, (q, k) = made(name), randoms((B, H, T, K), (B, H, S, K), dtype=torch.float64)
    if not score.is_dot_product:
        pytest.skip("no dot product")
    changed_q, changed_k, scale = score.features(q, k)
    close(score.scores(q, k), scale * (changed_q @ changed_k.transpose(2, 3)))


@NAMES
def test_the_same_twice_and_every_weight_learns(name):
    score, (q, k) = made(name).eval(), randoms((B, H, T, K), (B, H, S, K), dtype=torch.float64)
    assert score.scores(q, k).equal(score.scores(q, k))
    total = (score.scores(q.requires_grad_(), k) * randoms((B, H, T, S), dtype=torch.float64)[0]).sum()
    no_gradient_is_missing(score, total)


@NAMES
def test_gradcheck(name):
    score = made(name)
    inputs = [x.requires_grad_() for x in randoms((1, H, 2, K), (1, H, 3, K), dtype=torch.float64)]
    assert torch.autograd.gradcheck(score.scores, inputs)
