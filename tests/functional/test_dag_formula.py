"""The graph that writes along its paths, against a walk over every path there is."""

import itertools
import math

import hypothesis
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from comparing import close, gradients, randoms
from headway.functional.dag import best_path, joint_viterbi, log_likelihood, log_sum, walk


def graph(N: int, T: int, seed: int = 5, scale: float = 1.0) -> tuple[Tensor, Tensor]:
    """match (1, T, N), links (1, N, N): each row a distribution over later nodes."""
    match, scores = randoms((1, T, N), (1, N, N), dtype=torch.float64, seed=seed)
    later = torch.ones(N, N, dtype=torch.bool).triu(1)
    links = (scale * scores).masked_fill(~later, -torch.inf).softmax(-1).nan_to_num(0.0).log()
    return scale * match - 1, links


def paths(N: int, T: int):
    """Every way from node 0 to node N − 1 that visits T nodes between them."""
    return itertools.combinations(range(1, N - 1), T)


def log_p(match: Tensor, links: Tensor, path: tuple[int, ...]) -> float:
    nodes = [0, *path, links.shape[-1] - 1]
    written = sum(float(match[0, t, node]) for t, node in enumerate(path))
    return written + sum(float(links[0, i, j]) for i, j in itertools.pairwise(nodes))


@given(N=st.integers(2, 8), T=st.integers(0, 6), seed=st.integers(0, 99), scale=st.sampled_from([1.0, 8.0]))
def test_value_best_path_and_posteriors_are_those_of_all_paths(N, T, seed, scale):
    hypothesis.assume(T <= N - 2)
    match, links = graph(N, T, seed, scale)
    every = {path: log_p(match, links, path) for path in paths(N, T)}
    match.requires_grad_()
    value = log_likelihood(match, links)
    norm = torch.tensor(list(every.values()), dtype=torch.float64).logsumexp(0)
    close(value[0], norm)
    score, path = best_path(match.detach(), links)
    assert score.item() == pytest.approx(max(every.values())) == every[tuple(path[0].tolist())]
    if T:
        posterior = torch.zeros(T, N, dtype=torch.float64)
        for way, log in every.items():
            posterior[range(T), list(way)] += math.exp(log - norm)
        close(torch.autograd.grad(value, match)[0][0], posterior)


def test_worked_by_hand():
    # 0 -> 1 with 1/4, 0 -> 2 with 3/4; 1 -> 2 and 1 -> 3 with 1/2; 2 -> 3. One token: 1/4 p₁ 1/2 + 3/4 p₂
    links = torch.tensor([[[0, 0.25, 0.75, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 1], [0, 0, 0, 0]]]).log()
    match = torch.tensor([[[0.5, 0.8, 0.2, 0.5]]]).log()
    assert log_likelihood(match, links).exp().item() == pytest.approx(0.25 * 0.8 * 0.5 + 0.75 * 0.2)
    assert best_path(match, links)[1].tolist() == [[2]]
    both = torch.cat([match, match], 1)
    assert log_likelihood(both, links).exp().item() == pytest.approx(0.25 * 0.8 * 0.5 * 0.2)


def test_every_target_of_every_length_together_is_one():
    _, links = graph(7, 0)
    written = torch.randn(7, 3, dtype=torch.float64).log_softmax(-1)  # three tokens
    total = 0.0
    for T in range(6):
        for target in itertools.product(range(3), repeat=T):
            total += log_likelihood(written[:, list(target)].T[None], links).exp().item()
    assert total == pytest.approx(1)


def test_more_tokens_than_nodes_have_no_probability_and_no_gradient_that_is_nan():
    match, links = graph(4, 3)
    inputs = [match.requires_grad_(), links.masked_fill(links == -torch.inf, -torch.inf).requires_grad_()]
    value = log_likelihood(*inputs)
    assert value.tolist() == [-torch.inf]
    assert not any(gradient.any() for gradient in gradients(value.masked_fill(value == -torch.inf, 0.0), inputs))


def test_a_sum_of_nothing_is_minus_infinity_without_a_gradient():
    x = torch.tensor([[-torch.inf, -torch.inf], [0.0, -torch.inf]], requires_grad=True)
    value = log_sum(x, 1)
    assert value.tolist() == [-torch.inf, 0.0]
    assert torch.autograd.grad(value[1], x)[0].tolist() == [[0, 0], [1, 0]]


@given(N=st.integers(2, 8), seed=st.integers(0, 99))
def test_a_walk_takes_the_best_next_node_with_or_without_what_it_writes(N, seed):
    match, links = graph(N, 1, seed)
    written = match[0, 0].masked_fill(torch.arange(N) == N - 1, 0.0)
    for values, path in ((links[0], walk(links[0])), (links[0] + written, walk(links[0], written))):
        nodes = [0, *path, N - 1]
        assert all(j == int(values[i].argmax()) for i, j in itertools.pairwise(nodes))


@given(N=st.integers(2, 8), seed=st.integers(0, 99), beta=st.sampled_from([0.0, 0.7, 1.0]), most=st.integers(0, 6))
def test_joint_viterbi_is_the_best_of_all_paths_of_all_lengths(N, seed, beta, most):
    match, links = graph(N, 1, seed)
    every = {
        path: log_p(match.expand(1, max(T, 1), N), links, path) / (T + 1) ** beta
        for T in range(min(most, N - 2) + 1)
        for path in paths(N, T)
    }
    score, path = joint_viterbi(links[0], match[0, 0], most, beta)
    assert score == pytest.approx(max(every.values())) == every[tuple(path)]
