"""What every score promises: one number for each query and key, of these two alone."""

import pytest
import torch
from torch import Tensor

from building import no_gradient_is_missing, stirred
from comparing import DTYPES, close, gradients, randoms
from headway.scores import SCORES, Score

B, H, T, S, K = 2, 3, 5, 7, 8
NAMES = pytest.mark.parametrize("name", SCORES.names())


def made(name: str, dtype: torch.dtype = torch.float64) -> Score:
    return stirred(SCORES.build(SCORES.choose(name), H, K)).to(dtype)


def whole(score: Score, q: Tensor, k: Tensor) -> Tensor:
    """What is done to queries and keys one by one, and then to both."""
    return score.scores(score.queries(q), score.keys(k))


@NAMES
@pytest.mark.parametrize("dtype", DTYPES)
def test_it_gives_a_finite_number_for_each_query_and_key_of_each_head(name, dtype):
    q, k = (x.requires_grad_() for x in randoms((B, H, T, K), (B, H, S, K), dtype=dtype))
    scores = whole(made(name, dtype), q, k)
    assert scores.shape == (B, H, T, S) and scores.dtype == dtype and scores.isfinite().all()
    assert all(gradient.isfinite().all() and gradient.any() for gradient in gradients(scores, [q, k]))


@NAMES
def test_a_score_depends_on_its_own_query_key_and_head_alone(name):
    score, (q, k) = made(name), randoms((B, H, T, K), (B, H, S, K), dtype=torch.float64)
    all_of_them = whole(score, q, k)
    close(whole(score, q[:, :, 2:3], k[:, :, 4:5]), all_of_them[:, :, 2:3, 4:5])
    close(whole(score, q[1:], k[1:]), all_of_them[1:])
    other = q.clone()
    other[:, 1] += 1
    changed = whole(score, other, k) != all_of_them
    assert changed[:, 1].all() and not changed[:, [0, 2]].any()


@pytest.mark.parametrize("name", [name for name in SCORES.names() if SCORES.part(name).is_dot_product])
def test_where_it_is_a_dot_product_its_features_say_of_what(name):
    score, (q, k) = made(name), randoms((B, H, T, K), (B, H, S, K), dtype=torch.float64)
    changed_q, changed_k, scale = score.features(q, k)
    close(score.scores(q, k), scale * (changed_q @ changed_k.transpose(2, 3)))


@pytest.mark.parametrize("name", [name for name in SCORES.names() if SCORES.part(name).terms is not Score.terms])
def test_where_it_is_none_its_terms_may_say_how_it_compares(name):
    score, (q, k) = made(name), randoms((B, H, T, K), (B, H, S, K), dtype=torch.float64)
    one, other, w = score.terms(q, k)
    compared = (one[:, :, :, None] + other[:, :, None]).tanh()
    close(score.scores(q, k), torch.einsum("bhtsa,ha->bhts", compared, w))


@NAMES
def test_the_same_twice_and_every_weight_learns(name):
    score, (q, k) = made(name).eval(), randoms((B, H, T, K), (B, H, S, K), dtype=torch.float64)
    assert whole(score, q, k).equal(whole(score, q, k))
    total = (whole(score, q.requires_grad_(), k) * randoms((B, H, T, S), dtype=torch.float64)[0]).sum()
    no_gradient_is_missing(score, total)


@NAMES
def test_gradcheck(name):
    score = made(name)
    inputs = [x.requires_grad_() for x in randoms((1, H, 2, K), (1, H, 3, K), dtype=torch.float64)]
    assert torch.autograd.gradcheck(lambda q, k: whole(score, q, k), inputs)
