"""Every engine against the definition: each mask, bias, score and precision, in value and in gradient."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from attending import (
    DROPPING,
    EMPTY,
    KEYS,
    MASKS,
    RUNNING,
    B,
    H,
    K,
    Kv,
    agree,
    by_loop,
    inputs_for,
    parts,
    parts_for,
    request_of,
)
from comparing import DTYPES, close, gradients, randoms
from headway.errors import UsageError
from headway.functional.attention import attention as definition
from headway.functional.masks import Mask
from headway.kernels.attention import _say_once, attention, choose, engine_named
from headway.normalizers import Normalizer
from headway.scores import Score


def asked_of(engine: str, case: tuple[Mask, int, int], biased: str, dtype: torch.dtype) -> None:
    mask, T, S = case
    inputs = inputs_for(T, S, biased, dtype)
    request = request_of(inputs, mask, *(part.to(dtype) for part in parts_for(engine)))
    agree(request, by_loop(mask, T, S), engine, inputs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("biased", ["none", "per head"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("engine", RUNNING)
def test_every_engine_is_the_definition_under_every_mask(engine, mask, biased, dtype):
    asked_of(engine, MASKS[mask], biased, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("biased", ["none", "per head"])
@pytest.mark.parametrize("mask", EMPTY)
@pytest.mark.parametrize("engine", RUNNING)
def test_where_a_position_may_look_nowhere_every_engine_gives_zeros_and_no_gradient(engine, mask, biased, dtype):
    rules, T, S = EMPTY[mask]
    assert rules.has_empty_rows(T, S)
    asked_of(engine, EMPTY[mask], biased, dtype)


@pytest.mark.parametrize("engine", DROPPING)
def test_under_dropout_an_empty_row_is_still_zero_and_no_gradient_is_lost(engine):
    inputs = inputs_for(5, 7, "per head", torch.float32)
    output = attention(
        request_of(inputs, EMPTY["an empty row of the batch"][0], *parts_for(engine), dropout=0.3), engine
    )
    assert not output[0].any() and output[1].any()
    for gradient in gradients(output, inputs):
        assert gradient.isfinite().all() and gradient.any()


@pytest.mark.parametrize("shift", [-1, 1])
@pytest.mark.parametrize("engine", RUNNING)
def test_a_mask_that_is_off_by_one_fails_the_grid(engine, shift):
    inputs = inputs_for(5, 7, "none", torch.float32)
    score, normalizer = parts_for(engine)
    expected, _ = definition(*inputs, by_loop(Mask(causal=True, offset=2), 5, 7), None, score.scores)
    with pytest.raises(AssertionError, match="not close"):
        close(attention(request_of(inputs, Mask(causal=True, offset=2 + shift), score, normalizer), engine), expected)


# ---------------------------------------------------------------------------------------------------------- dropout


@pytest.mark.parametrize("mask", ["none", "causal and padding"])
@pytest.mark.parametrize("rate", [0.1, 0.5])
@pytest.mark.parametrize("engine", DROPPING)
def test_dropout_takes_its_share_of_the_weights_and_scales_up_the_rest(engine, rate, mask):
    S, rounds = 7, 60
    score, normalizer = (part.double() for part in parts_for(engine))
    q, k = randoms((B, H, S, K), (B, H, S, K), dtype=torch.float64)
    identity = torch.eye(S, dtype=torch.float64).expand(B, H, S, S).contiguous()  # the output is the weights themselves
    plain = attention(request_of([q, k, identity], MASKS[mask][0], score, normalizer), "definition")
    may = plain > 0
    found = [
        attention(request_of([q, k, identity], MASKS[mask][0], score, normalizer, rate), engine) for _ in range(rounds)
    ]
    kept = torch.stack([(weights != 0)[may] for weights in found]).double()
    assert not any(weights[~may].any() for weights in found)
    ratios = torch.cat([(weights / plain)[may & (weights != 0)] for weights in found])
    close(ratios, ratios[:1].expand_as(ratios), 1e-6)  # one factor for all that is kept
    used = (
        1 - 1 / ratios[0].item()
    )  # the rate that was really used: near what was asked, and consistent with the factor
    assert used == pytest.approx(rate, abs=1 / 512)
    deviation = (used * (1 - used) / kept.numel()) ** 0.5
    assert abs(1 - kept.mean().item() - used) < 5 * deviation
    mean = torch.stack(found).mean(0)[may] / plain[may]
    assert (mean - 1).abs().max() < 5 * (used / (1 - used) / rounds) ** 0.5


@pytest.mark.parametrize("engine", DROPPING)
def test_under_dropout_the_gradient_is_that_of_the_weights_that_were_kept(engine):
    score, normalizer = (part.double() for part in parts_for(engine))
    inputs = inputs_for(3, 5, "per head", torch.float64)

    def again(*inputs: Tensor) -> Tensor:
        torch.manual_seed(4)
        return attention(request_of(list(inputs), Mask(causal=True, offset=2), score, normalizer, 0.4), engine)

    assert torch.autograd.gradcheck(again, inputs, fast_mode=True)


@pytest.mark.parametrize("engine", DROPPING)
def test_the_seed_decides_what_is_dropped(engine):
    request = request_of(inputs_for(5, 7, "none", torch.float32), Mask(), *parts_for(engine), dropout=0.4)
    outputs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outputs.append(attention(request, engine))
    assert outputs[0].equal(outputs[1]) and not outputs[0].equal(outputs[2])


# --------------------------------------------------------------------------------------------------------- refusing


class Distance(Score):
    """A score that is no dot product: −|q − k|₁."""

    is_dot_product = False

    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        return -(q[:, :, :, None] - k[:, :, None]).abs().sum(-1)


class Share(Normalizer):
    """A normalizer that is no softmax."""

    def weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        weights = scores.sigmoid()
        return weights if mask is None else weights * mask


NO_DOT = "the score is not a dot product of changed queries and keys"


@pytest.mark.parametrize(
    ("engine", "changed", "words"),
    [
        ("fused", {"score": Distance()}, NO_DOT),
        ("matmul", {"score": Distance()}, NO_DOT),
        ("blockwise", {"score": Distance()}, NO_DOT),
        ("additive", {"score": Distance()}, "the score is not a weighted sum of tanh(q' + k')"),
        ("additive", {}, "the score is not a weighted sum of tanh(q' + k')"),
        ("fused", {"normalizer": Share()}, "it normalizes by softmax only, with or without a one beside the sum"),
        ("blockwise", {"normalizer": Share()}, "it has no backward by hand for this normalizer"),
        ("flex", {}, "it has no backward on a CPU"),
    ],
)
def test_a_named_engine_that_refuses_says_why(engine, changed, words):
    request = replace(request_of(inputs_for(5, 7, "none", torch.float32), Mask(), *parts()), **changed)
    assert engine_named(engine).refuses(request) == words
    with pytest.raises(UsageError) as caught:
        attention(request, engine)
    assert str(caught.value) == f"the attention engine {engine} refuses: {words}; `auto` takes one that does not"


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("changed", [{"score": Distance()}, {"normalizer": Share()}], ids=["score", "normalizer"])
def test_auto_takes_an_engine_that_does_not_refuse(changed, dropout):
    inputs = inputs_for(7, 7, "none", torch.float32)
    request = replace(request_of(inputs, Mask(KEYS, causal=True), *parts(), dropout=dropout), **changed)
    assert engine_named(choose(request)).refuses(request) is None
    if not dropout:
        table = by_loop(request.mask, 7, 7)
        expected, _ = definition(*inputs, table, None, request.score.scores, request.normalizer.weights)
        close(attention(request), expected)


@pytest.mark.parametrize("mask", MASKS)
def test_auto_is_the_definition_whatever_it_takes(mask):
    rules, T, S = MASKS[mask]
    inputs = inputs_for(T, S, "none", torch.float32)
    close(attention(request_of(inputs, rules, *parts())), definition(*inputs, by_loop(rules, T, S))[0])


@pytest.mark.parametrize(
    ("score", "normalizer", "length", "mask", "dropout", "engine"),
    [
        ("scaled_dot", "softmax", 5, Mask(), 0.0, "matmul"),
        ("scaled_dot", "softmax", 100, Mask(), 0.0, "fused"),
        ("scaled_dot", "softmax", 5, Mask(), 0.1, "matmul"),
        ("scaled_dot", "softmax", 1, Mask(), 0.0, "matmul"),
        ("dot", "softmax_plus_one", 512, Mask(causal=True), 0.0, "fused"),
        ("scaled_dot", "softmax", 512, Mask(), 0.1, "blockwise"),
        ("scaled_dot", "softmax", 512, Mask(reach=9), 0.0, "blockwise"),
        ("scaled_dot", "relu", 5, Mask(), 0.0, "matmul"),
        ("scaled_dot", "relu", 512, Mask(), 0.0, "blockwise"),
        ("scaled_dot", "sparsemax", 64, Mask(), 0.0, "blockwise"),
        ("additive", "softmax", 5, Mask(), 0.0, "definition"),
        ("additive", "sigmoid", 64, Mask(), 0.1, "additive"),
    ],
)
def test_on_a_cpu_auto_chooses_by_score_normalizer_length_mask_and_dropout(
    score, normalizer, length, mask, dropout, engine
):
    inputs = randoms(*[(1, H, length, size) for size in (K, K, Kv)])
    assert choose(request_of(inputs, mask, *parts(score, normalizer), dropout)) == engine


def test_in_half_precision_auto_takes_two_products_for_longer_rows():
    inputs = randoms(*[(1, H, 100, size) for size in (K, K, Kv)], dtype=torch.bfloat16)
    assert choose(request_of(inputs, Mask(), *parts())) == "matmul"


def test_auto_says_once_what_it_took_and_why(caplog):
    _say_once.cache_clear()
    request = request_of(inputs_for(5, 7, "none", torch.float32), Mask(), *parts())
    with caplog.at_level("INFO", "headway.kernels.attention"):
        attention(request), attention(request)
    assert [record.message for record in caplog.records] == ["attention engine on cpu: matmul (softmax of short rows)"]


def test_an_engine_that_is_not_there_is_named_with_its_neighbours():
    request = request_of(inputs_for(5, 7, "none", torch.float32), Mask(), *parts())
    with pytest.raises(UsageError, match=r"no engine called 'fuse'; there are: .*fused.* Did you mean 'fused'\?"):
        attention(request, "fuse")
