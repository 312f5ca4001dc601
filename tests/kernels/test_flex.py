"""What can be known of the FlexAttention engine without a GPU: its formulae, its masks forward, what it refuses."""

from dataclasses import replace

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention.flex_attention import flex_attention

from attending import CASES, EMPTY, MASKS, H, by_loop, inputs_for, parts, request_of
from comparing import close, gradients, randoms, same
from headway.functional.masks import Mask
from headway.kernels.attention import choose, engine_named
from headway.kernels.attention.flex import SUMS, summed
from headway.normalizers import NORMALIZERS

NAMES = [name for name in NORMALIZERS.names() if NORMALIZERS.part(name) in SUMS]


@pytest.mark.parametrize("normalizer", NAMES)
def test_changed_scores_under_a_softmax_times_a_function_of_its_sum_are_the_weights(normalizer):
    change, after = SUMS[NORMALIZERS.part(normalizer)]
    scores, v = randoms((2, H, 5, 7), (2, H, 7, 3), dtype=torch.float64)
    scores[..., 0] = 0.3  # rows without any weight are left to FlexAttention, which gives zeros
    n = torch.tensor(7.0, dtype=torch.float64)

    def ours(scores: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        changed = scores if change is None else change(scores, n)
        output = changed.softmax(-1) @ v
        return output if after is None else output * after(changed.logsumexp(-1, keepdim=True), n)

    _, normalized = parts("dot", normalizer)
    same(ours, lambda scores, v: normalized.weights(scores, None) @ v, [scores, v])


def test_a_score_that_is_not_above_zero_has_a_gradient_of_zero_under_log_relu():
    scores = torch.tensor([-2.0, 0.0, 3.0], requires_grad=True)
    change, _ = SUMS[NORMALIZERS.part("relu")]
    assert change is not None
    (gradient,) = gradients(change(scores, torch.tensor(3.0)).softmax(-1), [scores])
    assert gradient.isfinite().all() and not gradient[:2].any()


@pytest.mark.parametrize("biased", ["none", "per head"])
@pytest.mark.parametrize("mask", [name for name, (rules, _, _) in CASES.items() if rules.edges is None])
@pytest.mark.parametrize("normalizer", NAMES)
def test_forward_by_the_definition_of_flex_attention_it_is_the_definition(normalizer, mask, biased, monkeypatch):
    monkeypatch.setattr("torch.nn.attention.flex_attention._FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)
    rules, T, S = CASES[mask]
    inputs = [x.detach() for x in inputs_for(T, S, biased, torch.float64)]
    request = request_of(inputs, rules, *parts("scaled_dot", normalizer))
    with torch.no_grad():
        weights = request.normalizer.weights(
            request.score.scores(*inputs[:2]) + (inputs[3] if biased != "none" else 0.0), by_loop(rules, T, S)
        )
        close(summed(flex_attention, request), weights @ request.v, 1e-6)


@pytest.mark.parametrize(
    ("score", "normalizer", "mask", "dropout", "words"),
    [
        ("dot", "relu", Mask(causal=True), 0.0, None),
        ("additive", "relu", Mask(), 0.0, "the score is not a dot product of changed queries and keys"),
        ("dot", "sparsemax", Mask(), 0.0, "the normalizer is not a function of each score by itself"),
        ("dot", "softmax", Mask(), 0.1, "it drops no weights"),
        ("dot", "softmax", MASKS["edges"][0], 0.0, "the edges of a graph are no rule"),
    ],
)
def test_on_cuda_it_refuses_what_it_cannot_do(score, normalizer, mask, dropout, words):
    request = request_of([x.detach() for x in inputs_for(5, 7, "none", torch.float32)], mask, *parts(score, normalizer))
    with FakeTensorMode():
        q, k, v = (torch.empty(x.shape, device="cuda") for x in (request.q, request.k, request.v))
    assert engine_named("flex").refuses(replace(request, q=q, k=k, v=v, dropout=dropout)) == words


def test_on_cuda_it_refuses_a_bias_that_learns():
    request = request_of(inputs_for(5, 7, "per head", torch.float32), EMPTY["nobody may look"][0], *parts())
    with FakeTensorMode():
        q = torch.empty(request.q.shape, device="cuda")
    assert engine_named("flex").refuses(replace(request, q=q)) == "the bias learns"
    assert engine_named("flex").refuses(request) == "it has no backward on a CPU"


def test_on_cuda_auto_takes_torchs_kernel_or_ours_and_flex_by_its_name_alone():
    request = request_of([x.detach() for x in inputs_for(5, 7, "none", torch.float32)], Mask(), *parts())
    with FakeTensorMode():
        q = torch.empty(request.q.shape, device="cuda")
        long = torch.empty(1, H, 1024, 8, device="cuda")
    assert choose(replace(request, q=q)) == "fused"
    relu = replace(request, normalizer=parts("dot", "relu")[1])
    assert choose(replace(relu, q=q)) == "matmul" and choose(replace(relu, q=long, k=long)) == "blockwise"
