"""Attention in blocks beside torch's own, over long rows, in bfloat16, and what it keeps."""

import math
import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from attending import H, K, Kv, parts, request_of
from comparing import DTYPES, close, gradients, randoms, same
from headway.functional.masks import Mask, padding
from headway.functional.normalizers import entmax15, sparsemax
from headway.functional.scores import additive as by_tanh
from headway.kernels.attention import Request, attention
from headway.kernels.attention._weights import Entmax15Weights, SparsemaxWeights
from headway.kernels.heads import merge, split
from headway.normalizers import NORMALIZERS
from headway.scores import Score

T, W = 613, H * K
"""A row of several blocks, and the width of all heads."""


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("causal", [False, True])
def test_it_is_torchs_scaled_dot_product_attention(causal, dtype):
    inputs = randoms((2, H, T, K), (2, H, T, K), (2, H, T, Kv), dtype=dtype)

    def ours(*inputs: torch.Tensor) -> torch.Tensor:
        return attention(request_of(list(inputs), Mask(causal=causal), *parts()), "blockwise")

    same(ours, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=causal), inputs)


def test_it_is_torchs_multi_head_attention_with_padding():
    theirs = nn.MultiheadAttention(W, H, batch_first=True)
    (x,) = randoms((2, T, W))
    keys = padding(torch.tensor([400, T]), T)

    def ours(x: torch.Tensor) -> torch.Tensor:
        q, k, v = split(F.linear(x, theirs.in_proj_weight, theirs.in_proj_bias), 3, H)
        output = attention(request_of([q, k, v], Mask(keys), *parts()), "blockwise")
        return F.linear(merge(output), theirs.out_proj.weight, theirs.out_proj.bias)

    same(ours, lambda x: theirs(x, x, x, key_padding_mask=~keys, need_weights=False)[0], [x])


@pytest.mark.parametrize("engine", ["additive", "blockwise"])
@pytest.mark.parametrize("normalizer", NORMALIZERS.names())
def test_over_long_rows_it_is_the_definition(normalizer, engine):
    inputs = [x.requires_grad_() for x in randoms((1, H, 150, K), (1, H, 331, K), (1, H, 331, Kv))]
    request = request_of(inputs, Mask(causal=True, offset=9, reach=99), *parts(_score(engine), normalizer))
    found, expected = attention(request, engine), attention(request, "definition")
    close(found, expected)
    for one, other in zip(gradients(found, inputs), gradients(expected, inputs), strict=True):
        close(one, other)


@pytest.mark.parametrize("engine", ["additive", "blockwise"])
def test_in_bfloat16_sums_over_blocks_lose_nothing(engine):
    score, normalizer = parts(_score(engine))
    wide = [x.requires_grad_() for x in randoms((1, H, T, K), (1, H, T, K), (1, H, T, Kv))]
    narrow = [x.detach().bfloat16().requires_grad_() for x in wide]
    found, expected = (
        attention(request_of(inputs, Mask(causal=True), score.to(inputs[0].dtype), normalizer), engine)
        for inputs in (narrow, wide)
    )
    assert found.dtype == torch.bfloat16
    for one, other in zip(gradients(found, narrow), gradients(expected, wide), strict=True):
        assert one.dtype == torch.bfloat16 and (one - other).norm() < 0.02 * other.norm()


@pytest.mark.parametrize("engine", ["additive", "blockwise"])
def test_under_autocast_it_gives_what_it_is_given(engine):
    inputs = [x.bfloat16().requires_grad_() for x in randoms((1, H, 20, K), (1, H, 20, K), (1, H, 20, Kv))]
    with torch.autocast("cpu", torch.bfloat16):
        found = attention(request_of(inputs, Mask(), *parts(_score(engine))), engine)
    assert found.dtype == torch.bfloat16
    assert all(g.isfinite().all() and g.dtype == torch.bfloat16 for g in gradients(found, inputs))


@pytest.mark.parametrize("engine", ["additive", "blockwise"])
def test_what_is_dropped_follows_the_seed_and_is_the_same_backward_in_whatever_order(engine):
    inputs = [x.requires_grad_() for x in randoms((2, H, T, K), (2, H, T, K), (2, H, T, Kv))]
    request = request_of(inputs, Mask(), *parts(_score(engine)), 0.3)
    torch.manual_seed(7)
    first, second = attention(request, engine), attention(request, engine)
    between = gradients(first, inputs)
    torch.manual_seed(7)
    again = attention(request, engine)
    assert again.equal(first) and not second.equal(first)
    assert all(one.equal(other) for one, other in zip(gradients(again, inputs), between, strict=True))


@pytest.mark.parametrize("spread", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize(("weights", "formula"), [(SparsemaxWeights(), sparsemax), (Entmax15Weights(), entmax15)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_thresholds_found_in_steps_are_those_found_by_sorting(weights, formula, spread, dtype):
    (scores,) = randoms((2, H, 3, 997), dtype=dtype)
    scores *= spread
    scores[..., 5:9] = -math.inf
    counts = torch.full((1, 1, 3, 1), 993.0, dtype=dtype)
    found = weights.weights(scores.clone(), counts, weights.threshold(scores, counts))
    close(found, formula(scores, torch.isfinite(scores)))


class Given(Score):
    """Queries and keys that are terms already."""

    is_dot_product = False

    def __init__(self, w: torch.Tensor):
        super().__init__()
        self.w = nn.Parameter(w)

    def terms(self, q: torch.Tensor, k: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return q, k, self.w

    def scores(self, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        return by_tanh(*self.terms(q, k))


@pytest.mark.parametrize("spread", [0.01, 1.0, 9.0, 300.0])
def test_additive_scores_are_right_where_tanh_is_steep_and_where_it_is_flat(spread):
    q, k, v = (x.requires_grad_() for x in randoms((2, H, 5, K), (2, H, 7, K), (2, H, 7, Kv)))
    with torch.no_grad():
        q *= spread
    request = Request(q, k, v, Mask(), None, Given(randoms((H, K))[0]), parts()[1])
    found, expected = attention(request, "additive"), attention(request, "definition")
    close(found, expected)
    learned = [q, k, v, *request.score.parameters()]
    for one, other in zip(gradients(found, learned), gradients(expected, learned), strict=True):
        close(one, other)


GROWTH = """
import sys, torch
from headway.functional.masks import Mask
from headway.kernels.attention import Request, attention
from headway.machine import peak_memory
from headway.normalizers import NORMALIZERS
from headway.scores import SCORES
score, engine, T, H, K = sys.argv[1], sys.argv[2], int(sys.argv[3]), 4, 16
parts = SCORES.build(SCORES.choose(score), H, K), NORMALIZERS.build(NORMALIZERS.choose("softmax"), H, K)
for length in (64, T):
    if length == T:
        before = peak_memory()
    q, k, v = (torch.randn(1, H, length, K, requires_grad=True) for _ in range(3))
    attention(Request(q, k, v, Mask(), None, *parts, 0.1), engine).sum().backward()
print(peak_memory() - before)
"""


@pytest.mark.long
@pytest.mark.parametrize(("score", "engine"), [("additive", "additive"), ("dot", "blockwise")])
def test_memory_does_not_grow_with_the_square_of_the_length(score, engine):
    def grown(length: int) -> int:
        command = [sys.executable, "-c", GROWTH, score, engine, str(length)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert grown(4096) < max(2.2 * grown(2048), 12e6)  # one table of a head alone would take 67 MB


def _score(engine: str) -> str:
    return "additive" if engine == "additive" else "scaled_dot"
