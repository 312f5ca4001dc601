"""Every engine against the definition: each mask, bias, score and precision, in value and in gradient."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from comparing import DTYPES, close, gradients, randoms
from headway.errors import UsageError
from headway.functional.attention import attention as definition
from headway.functional.masks import Mask, padding
from headway.kernels.attention import ENGINES, Request, attention, choose, engine_named
from headway.normalizers import NORMALIZERS, Normalizer
from headway.scores import SCORES, Score

B, H, K, Kv = 2, 3, 8, 5

LENGTHS = torch.tensor([4, 7])
EDGES = torch.rand(B, 5, 7, generator=torch.Generator().manual_seed(1)) < 0.5
EDGES[:, :, 2] = True
KEYS = padding(LENGTHS, 7)
MASKS = {
    "none": (Mask(), 5, 7),
    "one position each": (Mask(), 1, 1),
    "one asks": (Mask(), 1, 7),
    "one is asked": (Mask(), 5, 1),
    "causal": (Mask(causal=True), 7, 7),
    "causal of length one": (Mask(causal=True), 1, 1),
    "causal, fewer ask": (Mask(causal=True), 5, 7),
    "causal, more ask": (Mask(causal=True), 7, 5),
    "causal behind a cache": (Mask(causal=True, offset=2), 5, 7),
    "causal behind a cache, as many asked": (Mask(causal=True, offset=2), 7, 7),
    "causal, the newest": (Mask(causal=True, offset=6), 1, 7),
    "padding": (Mask(KEYS), 5, 7),
    "padding, one asks": (Mask(KEYS), 1, 7),
    "causal and padding": (Mask(KEYS, causal=True), 7, 7),
    "window": (Mask(reach=2), 7, 7),
    "window behind a cache": (Mask(reach=2, offset=2), 5, 7),
    "edges": (Mask(edges=EDGES), 5, 7),
    "all rules": (Mask(KEYS[:, :5], True, 3, torch.ones(B, 5, 5, dtype=torch.bool).tril()), 5, 5),
}
EMPTY = {
    "an empty row of the batch": (Mask(padding(torch.tensor([0, 7]), 7)), 5, 7),
    "a window over padding": (Mask(padding(torch.tensor([3, 7]), 7), reach=1), 7, 7),
    "a node without edges": (Mask(edges=torch.eye(5, 7, dtype=torch.bool).roll(-1, 1).triu()[None]), 5, 7),
    "nobody may look": (Mask(torch.zeros(B, 7, dtype=torch.bool)), 5, 7),
}


def by_loop(mask: Mask, T: int, S: int) -> Tensor:
    """(B, 1, T, S) the rules, asked one by one: what no engine can have got wrong in the same way."""
    table = torch.ones(B, 1, T, S, dtype=torch.bool)
    for b in range(B):
        for i in range(T):
            for j in range(S):
                may = mask.keys is None or bool(mask.keys[b, j])
                may &= not mask.causal or j <= i + mask.offset
                may &= mask.reach is None or abs(i + mask.offset - j) <= mask.reach
                may &= mask.edges is None or bool(mask.edges.expand(B, -1, -1)[b, i, j])
                table[b, 0, i, j] = may
    return table


def parts(score: str = "scaled_dot", normalizer: str = "softmax") -> tuple[Score, Normalizer]:
    return SCORES.build(SCORES.choose(score), H, K), NORMALIZERS.build(NORMALIZERS.choose(normalizer), H, Kv)


def parts_for(engine: str) -> tuple[Score, Normalizer]:
    """The usual ones, or the score that the engine is for."""
    return parts("additive" if engine == "additive" else "scaled_dot")


def inputs_for(T: int, S: int, biased: str, dtype: torch.dtype) -> list[Tensor]:
    shapes = [(B, H, T, K), (B, H, S, K), (B, H, S, Kv)]
    shapes += {"none": [], "per head": [(1, H, T, S)], "per row and head": [(B, H, T, S)]}[biased]
    return [x.requires_grad_() for x in randoms(*shapes, dtype=dtype)]


def request_of(inputs: list[Tensor], mask: Mask, score: Score, normalizer: Normalizer, dropout: float = 0.0) -> Request:
    q, k, v, bias = (*inputs, None)[:4]
    return Request(q, k, v, replace(mask, _made={}), bias, score, normalizer, dropout)


def agree(engine: str, case: tuple[Mask, int, int], biased: str, score: Score, normalizer: Normalizer, dtype) -> None:
    mask, T, S = case
    inputs = inputs_for(T, S, biased, dtype)
    request = request_of(inputs, mask, score.to(dtype), normalizer.to(dtype))
    reason = engine_named(engine).refuses(request)
    if reason is not None:
        assert len(reason) > 10
        pytest.skip(reason)
    bias = inputs[3] if len(inputs) > 3 else None
    expected, _ = definition(*inputs[:3], by_loop(mask, T, S), bias, score.scores, normalizer.weights)
    expected = normalizer.finish(expected)
    found = attention(request, engine)
    close(found, expected)
    learned = [*inputs, *score.parameters(), *normalizer.parameters()]
    for one, other in zip(gradients(found, learned), gradients(expected, learned), strict=True):
        close(one, other)
    with torch.inference_mode():
        close(attention(request_of([x.detach() for x in inputs], mask, score, normalizer), engine), expected.detach())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("biased", ["none", "per head"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("engine", ENGINES.names())
def test_every_engine_is_the_definition_under_every_mask(engine, mask, biased, dtype):
    agree(engine, MASKS[mask], biased, *parts_for(engine), dtype)


@pytest.mark.parametrize("normalizer", NORMALIZERS.names())
@pytest.mark.parametrize("score", SCORES.names())
@pytest.mark.parametrize("mask", ["none", "causal, fewer ask", "causal and padding", "edges"])
@pytest.mark.parametrize("engine", ENGINES.names())
def test_every_engine_is_the_definition_with_every_score_and_normalizer(engine, mask, score, normalizer):
    agree(engine, MASKS[mask], "per row and head", *parts(score, normalizer), torch.float64)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("biased", ["none", "per head"])
@pytest.mark.parametrize("mask", EMPTY)
@pytest.mark.parametrize("engine", ENGINES.names())
def test_where_a_position_may_look_nowhere_every_engine_gives_zeros_and_no_gradient(engine, mask, biased, dtype):
    rules, T, S = EMPTY[mask]
    assert rules.has_empty_rows(T, S)
    agree(engine, EMPTY[mask], biased, *parts_for(engine), dtype)


@pytest.mark.parametrize("engine", ENGINES.names())
def test_under_dropout_an_empty_row_is_still_zero_and_no_gradient_is_lost(engine):
    inputs = inputs_for(5, 7, "per head", torch.float32)
    output = attention(
        request_of(inputs, EMPTY["an empty row of the batch"][0], *parts_for(engine), dropout=0.3), engine
    )
    assert not output[0].any() and output[1].any()
    for gradient in gradients(output, inputs):
        assert gradient.isfinite().all() and gradient.any()


@pytest.mark.parametrize("shift", [-1, 1])
@pytest.mark.parametrize("engine", ENGINES.names())
def test_a_mask_that_is_off_by_one_fails_the_grid(engine, shift):
    inputs = inputs_for(5, 7, "none", torch.float32)
    score, normalizer = parts_for(engine)
    expected, _ = definition(*inputs, by_loop(Mask(causal=True, offset=2), 5, 7), None, score.scores)
    with pytest.raises(AssertionError, match="not close"):
        close(attention(request_of(inputs, Mask(causal=True, offset=2 + shift), score, normalizer), engine), expected)


# ---------------------------------------------------------------------------------------------------------- dropout


@pytest.mark.parametrize("mask", ["none", "causal and padding"])
@pytest.mark.parametrize("rate", [0.1, 0.5])
@pytest.mark.parametrize("engine", ENGINES.names())
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


@pytest.mark.parametrize("engine", ENGINES.names())
def test_under_dropout_the_gradient_is_that_of_the_weights_that_were_kept(engine):
    score, normalizer = (part.double() for part in parts_for(engine))
    inputs = inputs_for(3, 5, "per head", torch.float64)

    def again(*inputs: Tensor) -> Tensor:
        torch.manual_seed(4)
        return attention(request_of(list(inputs), Mask(causal=True, offset=2), score, normalizer, 0.4), engine)

    assert torch.autograd.gradcheck(again, inputs)


@pytest.mark.parametrize("engine", ENGINES.names())
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


@pytest.mark.parametrize("engine", ["fused", "matmul"])
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"score": Distance()}, "the score is not a dot product of changed queries and keys"),
        ({"normalizer": Share()}, "it normalizes by softmax only"),
    ],
    ids=["score", "normalizer"],
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


def test_on_a_cpu_auto_prefers_two_products_under_dropout_and_for_one_asking_position():
    score, normalizer = parts()
    several, one = inputs_for(5, 7, "none", torch.float32), inputs_for(1, 7, "none", torch.float32)
    assert choose(request_of(several, Mask(), score, normalizer)) == "fused"
    assert choose(request_of(several, Mask(), score, normalizer, 0.1)) == "matmul"
    assert choose(request_of(one, Mask(), score, normalizer)) == "matmul"


def test_an_engine_that_is_not_there_is_named_with_its_neighbours():
    request = request_of(inputs_for(5, 7, "none", torch.float32), Mask(), *parts())
    with pytest.raises(UsageError, match=r"no engine called 'fuse'; there are: .*fused.* Did you mean 'fused'\?"):
        attention(request, "fuse")
