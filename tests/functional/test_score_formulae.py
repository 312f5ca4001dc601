"""The scores beside the dot product, against the formulae of their papers written as loops."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from building import stirred
from comparing import DTYPES, close, randoms, same
from headway.functional.attention import scaled_dot
from headway.functional.masks import Mask
from headway.functional.scores import additive
from headway.layers.mixers import Look
from headway.layers.mixers.attention import Attention, Settings
from headway.positions.rotary import Rotary
from headway.positions.rotary import Settings as RotarySettings
from headway.scores import SCORES, Score

B, H, T, S, K, A = 2, 3, 5, 7, 8, 6


def made(name: str, **settings) -> Score:
    return stirred(SCORES.build(SCORES.settings(name)(**settings), H, K)).double()


def asked(score: Score) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    q, k = randoms((B, H, T, K), (B, H, S, K), dtype=torch.float64)
    return score.scores(score.queries(q), score.keys(k)), q, k


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_additive_formula_is_a_sum_of_tangents(dtype):
    def by_loop(q, k, w):
        heads = [
            torch.stack([torch.stack([w[h] @ torch.tanh(q[b, h, i] + k[b, h, j]) for j in range(S)]) for i in range(T)])
            for b in range(B)
            for h in range(H)
        ]
        return torch.stack(heads).view(B, H, T, S)

    same(additive, by_loop, randoms((B, H, T, A), (B, H, S, A), (H, A), dtype=dtype))


@pytest.mark.parametrize("hidden", [None, A])
def test_additive_is_the_network_of_bahdanau_in_every_head(hidden):
    score = made("additive", hidden=hidden)
    found, q, k = asked(score)
    for h in range(H):
        one, other = nn.Linear(K, hidden or K, bias=False).double(), nn.Linear(K, hidden or K).double()
        last = nn.Linear(hidden or K, 1, bias=False).double()
        with torch.no_grad():
            one.weight.copy_(score.query[h].T)
            other.weight.copy_(score.key[h].T)
            other.bias.copy_(score.shift[h, 0])
            last.weight.copy_(score.weight[h])
        close(found[:, h], last((one(q[:, h])[:, :, None] + other(k[:, h])[:, None]).tanh())[..., 0])


def test_bilinear_is_a_matrix_between_query_and_key_and_begins_as_the_scaled_dot_product():
    score = made("bilinear")
    found, q, k = asked(score)
    close(found, torch.einsum("bhtk,hkl,bhsl->bhts", q, score.weight, k) / math.sqrt(K))
    close(found, scaled_dot(q @ score.weight, k))
    fresh = SCORES.build(SCORES.choose("bilinear"), H, K).double()
    close(asked(fresh)[0], scaled_dot(q, k))


def test_cosine_is_the_cosine_times_a_number_for_each_head_and_bounded_by_it():
    score = made("cosine", scale=7.0)
    found, q, k = asked(score)
    close(found, score.scale * F.cosine_similarity(q[:, :, :, None], k[:, :, None], dim=-1))
    assert (found.abs() <= score.scale + 1e-9).all()
    longer = score.scores(score.queries(1e3 * q), score.keys(1e-3 * k))
    close(longer, found)


def test_with_rms_it_is_the_scaled_dot_product_of_two_rms_norms_with_scales_of_their_own():
    score = made("cosine", norm="rms")
    found, q, k = asked(score)
    for h in range(H):
        norms = [nn.RMSNorm(K, eps=1e-6).double() for _ in range(2)]
        with torch.no_grad():
            for norm, scale in zip(norms, (score.query, score.key), strict=True):
                norm.weight.copy_(scale[h, 0])
        close(found[:, h], scaled_dot(norms[0](q[:, h]), norms[1](k[:, h])))


@pytest.mark.parametrize("score", ["bilinear", "cosine", {"kind": "cosine", "norm": "rms"}, "scaled_dot"], ids=str)
def test_learned_changes_come_before_positions_turn_so_that_scores_depend_on_distance_only(score):
    layer = stirred(Attention(Settings(heads=H, score=score), H * K, 0.0)).double()
    rotary, (x,) = Rotary(RotarySettings(), H * K, H), randoms((1, 1, H * K), dtype=torch.float64)
    x = x.expand(1, T, -1)  # the same vector everywhere: only distances differ
    request = layer.request(x, Look(Mask(), position=rotary))
    scores = request.score.scores(request.q, request.k)
    for distance in range(-T + 1, T):
        diagonal = scores.diagonal(distance, 2, 3)
        close(diagonal, diagonal[..., :1].expand_as(diagonal), 1e-6)
    assert (scores - scores[..., :1, :1]).abs().max() > 1e-2


def test_a_query_of_zeros_has_no_direction_and_no_endless_gradient():
    for norm in ("length", "rms"):
        score, q = made("cosine", norm=norm), torch.zeros(1, H, 1, K, dtype=torch.float64, requires_grad=True)
        (k,) = randoms((1, H, 2, K), dtype=torch.float64)
        scores = score.scores(score.queries(q), score.keys(k))
        scores.sum().backward()
        assert not scores.any() and q.grad.isfinite().all()
