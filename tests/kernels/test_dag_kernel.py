"""The sum over paths by scaled products, for rows of different sizes, against the definition taken by autograd."""

import hypothesis
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from comparing import DTYPES, close, gradients, matrices, randoms, same
from headway.functional import dag as formula
from headway.kernels import dag as kernel
from headway.kernels.dag import best_path, emissions, log_likelihood

LENGTHS, NODES = [5, 0, 8, 3], [9, 4, 10, 12]
"""Of the rows of a batch: from no tokens to as many as the nodes can write."""


def tables(B: int, T: int, N: int, scale: float = 1.0, dtype: torch.dtype = torch.float64, seed: int = 5):
    """match (B, T, N), and scores (B, N, N) from which `linked` makes links."""
    match, scores = randoms((B, T, N), (B, N, N), dtype=dtype, seed=seed)
    return scale * match - 1, scale * scores


def linked(scores: Tensor, nodes: list[int]) -> Tensor:
    """log E of graphs with so many nodes; behind the last node stand numbers that nobody may read."""
    j = torch.arange(scores.shape[1])
    allowed = (j > j[:, None]) & (j < torch.tensor(nodes)[:, None, None])
    some = allowed | ~allowed.any(-1, keepdim=True)
    links = scores.masked_fill(~some, -torch.inf).log_softmax(-1).masked_fill(~allowed, -1.0)
    return links.masked_fill(j <= j[:, None], -torch.inf)


def defined(match: Tensor, links: Tensor, lengths: list[int], nodes: list[int]) -> Tensor:
    """Row by row by the definition."""
    later = torch.ones(links.shape[1:], dtype=torch.bool).triu(1)
    links = links.masked_fill(~later, -torch.inf)
    rows = [
        formula.log_likelihood(m[None, :T, :N], E[None, :N, :N])
        for m, E, T, N in zip(match, links, lengths, nodes, strict=True)
    ]
    return torch.cat(rows)


def asked(lengths: list[int], nodes: list[int]):
    """The kernel and the definition as functions of match and scores."""

    def ours(match: Tensor, scores: Tensor) -> Tensor:
        return log_likelihood(match, linked(scores, nodes), torch.tensor(lengths), torch.tensor(nodes))

    return ours, lambda match, scores: defined(match, linked(scores, nodes), lengths, nodes)


@pytest.mark.parametrize("scale", [1.0, 3.0, 8.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_value_and_gradient_are_those_of_the_definition(dtype, scale):
    near = 1e-9 if dtype == torch.float64 else 2e-5
    same(*asked(LENGTHS, NODES), tables(4, 8, 12, scale, dtype), near)


@pytest.mark.parametrize("scale", [1.0, 3.0, 8.0])
def test_a_longer_row_agrees_to_a_millionth(scale):
    same(*asked([30, 25], [64, 60]), tables(2, 30, 64, scale), 1e-6)


@given(
    sizes=st.lists(st.tuples(st.integers(0, 6), st.integers(2, 9)), min_size=1, max_size=4),
    scale=st.sampled_from([0.1, 1.0, 20.0]),
    seed=st.integers(0, 99),
)
def test_any_sizes_side_by_side_are_the_definition_row_by_row(sizes, scale, seed):
    lengths, nodes = map(list, zip(*sizes, strict=True))
    hypothesis.assume(all(T <= N - 2 for T, N in sizes))
    same(*asked(lengths, nodes), tables(len(sizes), max(lengths), max(nodes), scale, seed=seed), 1e-9)


def test_gradcheck():
    inputs = [x.requires_grad_() for x in tables(2, 2, 5)]
    assert torch.autograd.gradcheck(asked([2, 1], [5, 4])[0], inputs)


@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_posteriors_sum_to_one_at_every_position_and_to_the_links_of_a_path(scale):
    match, scores = tables(4, 8, 12, scale)
    inputs = [match.requires_grad_(), linked(scores, NODES).detach().requires_grad_()]
    of_nodes, of_links = torch.autograd.grad(
        log_likelihood(*inputs, torch.tensor(LENGTHS), torch.tensor(NODES)).sum(), inputs
    )
    real = torch.arange(8) < torch.tensor(LENGTHS)[:, None]
    close(of_nodes.sum(-1), real.double())
    close(of_links.sum((1, 2)), torch.tensor(LENGTHS).double() + 1)
    assert (of_nodes >= 0).all() and (of_links >= 0).all() and not of_links.tril().any()
    assert of_nodes.sum() == pytest.approx(sum(LENGTHS))


def test_a_target_with_more_tokens_than_nodes_is_left_out_without_harm():
    match, scores = (x.requires_grad_() for x in tables(3, 6, 7))
    lengths, nodes = torch.tensor([6, 2, 3]), torch.tensor([7, 7, 4])
    value = log_likelihood(match, linked(scores, nodes.tolist()), lengths, nodes)
    assert value.isfinite().tolist() == [False, True, False] and (value[[0, 2]] == -torch.inf).all()
    total = torch.where(lengths <= nodes - 2, value, 0.0).sum()
    for gradient in torch.autograd.grad(total, [match, scores]):
        assert gradient.isfinite().all() and not gradient[[0, 2]].any() and gradient[1].any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_where_64_bits_are_too_short_the_row_is_taken_by_logarithms(dtype, monkeypatch):
    """The best first half leads where the second cannot be: all that counts is e^−800 of it and less."""
    match, scores = tables(2, 4, 9, 1.0, dtype)
    match[0, 0, 1:5] = torch.tensor([0.0, -900, -950, -990])
    links = linked(scores, [9, 9])
    links[0, 1, 2:] = -2000.0
    inputs = [match, links]
    again = []
    monkeypatch.setattr(kernel, "_by_logarithms", lambda *x, f=kernel._by_logarithms: again.append(len(x[0])) or f(*x))
    same(
        lambda match, links: log_likelihood(match, links, torch.tensor([4, 4]), torch.tensor([9, 9])),
        lambda match, links: defined(match, links, [4, 4], [9, 9]),
        inputs,
        1e-9 if dtype == torch.float64 else 1e-4,
    )
    assert again == [1]


def test_links_that_are_closed_give_no_probability_and_no_nan():
    match, scores = tables(1, 3, 6)
    inputs = [match.requires_grad_(), torch.full_like(scores, -torch.inf).requires_grad_()]
    value = log_likelihood(*inputs, torch.tensor([3]), torch.tensor([6]))
    assert value.tolist() == [-torch.inf]
    assert not any(gradient.any() for gradient in torch.autograd.grad(value.sum(), inputs))


def test_an_empty_target_is_the_link_from_first_to_last():
    match, scores = tables(2, 0, 5)
    links = linked(scores, [5, 3])
    close(log_likelihood(match, links, torch.tensor([0, 0]), torch.tensor([5, 3])), links[[0, 1], 0, [4, 2]])


# -------------------------------------------------------------------------------------------------------- the best path


@given(
    sizes=st.lists(st.tuples(st.integers(0, 6), st.integers(2, 9)), min_size=1, max_size=4),
    scale=st.sampled_from([1.0, 20.0]),
    seed=st.integers(0, 99),
)
def test_the_best_path_is_that_of_the_definition_and_zero_where_there_is_none(sizes, scale, seed):
    lengths, nodes = map(list, zip(*sizes, strict=True))
    match, scores = tables(len(sizes), max(lengths), max(nodes), scale, seed=seed)
    links = linked(scores, nodes)
    found = best_path(match, links, torch.tensor(lengths), torch.tensor(nodes))
    assert found.shape == (len(sizes), max(lengths))
    for row, (T, N) in enumerate(sizes):
        strict = links[row, :N, :N].masked_fill(~torch.ones(N, N, dtype=torch.bool).triu(1), -torch.inf)
        expected = formula.best_path(match[row : row + 1, :T, :N], strict[None])[1][0] if T <= N - 2 else torch.zeros(T)
        assert found[row].tolist() == [*expected.tolist(), *[0] * (max(lengths) - T)]


# ------------------------------------------------------------------------------------------------------ what is written

B, T, N, D, V = 3, 4, 7, 5, 11


def plain(x: Tensor, weight: Tensor, bias: Tensor, tokens: Tensor) -> Tensor:
    log_p = F.linear(x, weight, bias).log_softmax(-1)
    return log_p.gather(-1, tokens[:, None].expand(-1, x.shape[1], -1)).mT


@pytest.mark.parametrize("piece", [1, 2 * N * V, 1 << 21], ids=["row by row", "two rows", "at once"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_emissions_in_pieces_are_a_log_softmax_and_a_gather(dtype, piece, monkeypatch):
    monkeypatch.setattr(kernel, "PIECE", piece)
    tokens = torch.randint(V, (B, T))
    tokens[0] = 4  # the same token several times: its gradients add up
    x, weight, bias = *randoms((B, N, D), dtype=dtype), *matrices(1, V, D, dtype=dtype), *randoms((V,), dtype=dtype)
    same(lambda *x: emissions(*x, tokens), lambda *x: plain(*x, tokens), [x, weight, bias])


def test_gradcheck_of_emissions():
    inputs = [x.requires_grad_() for x in randoms((2, 3, D), (V, D), (V,), dtype=torch.float64)]
    tokens = torch.randint(V, (2, 4))
    assert torch.autograd.gradcheck(lambda *x: emissions(*x, tokens), inputs)


def test_emissions_of_no_tokens_are_none_and_no_gradient():
    inputs = [x.requires_grad_() for x in randoms((2, 3, D), (V, D), (V,))]
    found = emissions(*inputs, torch.zeros(2, 0, dtype=torch.long))
    assert found.shape == (2, 0, 3)
    assert not any(gradient.any() for gradient in gradients(found, inputs))


def test_under_autocast_to_bfloat16_emissions_are_near_and_gradients_keep_the_type_of_the_weights():
    tokens = torch.randint(V, (B, T))
    inputs = [x.requires_grad_() for x in (*randoms((B, N, D)), *matrices(1, V, D), *randoms((V,)))]
    with torch.autocast("cpu", torch.bfloat16):
        found = emissions(*inputs, tokens)
    expected = plain(*inputs, tokens)
    assert found.dtype == torch.float32
    close(found, expected, 0.05)
    for one, other in zip(gradients(found, inputs), gradients(expected, inputs), strict=True):
        assert one.dtype == torch.float32 and (one - other).norm() < 0.02 * other.norm()
