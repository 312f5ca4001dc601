"""What every engine promises beside its numbers (those are in tests/kernels): an answer in words, and no memory."""

import pytest
import torch

from attending import RUNNING
from comparing import close, randoms
from headway.functional.masks import Mask, padding
from headway.kernels.attention import ENGINES, Request, engine_named
from headway.normalizers import NORMALIZERS
from headway.scores import SCORES

B, H, T, S, K, Kv = 2, 3, 5, 7, 8, 4
NAMES = pytest.mark.parametrize("name", RUNNING)


def request_for(
    name: str, mask: Mask | None = None, dtype: torch.dtype = torch.float32, dropout: float = 0.0
) -> Request:
    """Something that the engine takes."""
    q, k, v = randoms((B, H, T, K), (B, H, S, K), (B, H, S, Kv), dtype=dtype)
    score = SCORES.build(SCORES.choose("additive" if name == "additive" else "scaled_dot"), H, K).to(dtype)
    normalizer = NORMALIZERS.build(NORMALIZERS.choose("softmax"), H, Kv)
    return Request(q, k, v, mask or Mask(), None, score, normalizer, dropout)


@pytest.mark.parametrize("name", ENGINES.names())
def test_it_answers_none_or_a_reason(name):
    for mask in (Mask(), Mask(causal=True), Mask(padding(torch.tensor([0, 7]), S)), Mask(reach=1)):
        for dropout in (0.0, 0.1):
            reason = engine_named(name).refuses(request_for(name, mask, dropout=dropout))
            assert reason is None or (isinstance(reason, str) and len(reason) > 10)


@NAMES
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_it_gives_as_many_numbers_as_there_are_values_of_the_same_type(name, dtype):
    found = engine_named(name).attention(request_for(name, dtype=dtype))
    assert found.shape == (B, H, T, Kv) and found.dtype == dtype and found.isfinite().all()


@NAMES
def test_it_keeps_nothing_and_changes_nothing(name):
    request = request_for(name, Mask(padding(torch.tensor([4, 7]), S)))
    before = [x.clone() for x in (request.q, request.k, request.v)]
    first = engine_named(name).attention(request)
    engine_named(name).attention(request_for(name, dtype=torch.float64))
    assert first.equal(engine_named(name).attention(request))
    assert all(x.equal(y) for x, y in zip((request.q, request.k, request.v), before, strict=True))
    assert engine_named(name) is engine_named(name)


@NAMES
def test_views_in_another_order_are_taken_as_they_stand(name):
    request = request_for(name, Mask(causal=True, offset=2))
    turned = [x.transpose(1, 2).contiguous().transpose(1, 2) for x in (request.q, request.k, request.v)]
    other = Request(*turned, request.mask, None, request.score, request.normalizer)
    close(engine_named(name).attention(other), engine_named(name).attention(request))


def test_the_definition_refuses_nothing_that_the_rooms_hold():
    for score in SCORES.names():
        for normalizer in NORMALIZERS.names():
            q, k, v = randoms((B, H, T, K), (B, H, S, K), (B, H, S, Kv))
            parts = SCORES.build(SCORES.choose(score), H, K), NORMALIZERS.build(NORMALIZERS.choose(normalizer), H, Kv)
            assert engine_named("definition").refuses(Request(q, k, v, Mask(), None, *parts)) is None
