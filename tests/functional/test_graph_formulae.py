"""Places of nodes against loops in Python and numpy: Floyd and Warshall, powers of matrices, eigenvalues."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from comparing import close
from headway.functional.graphs import connected, laplacian, laplacian_eigenvectors, random_walks, shortest_paths


@st.composite
def graphs(draw: st.DrawFn, directed: bool = False, most: int = 7) -> Tensor:
    """(N, N) a random adjacency, often with several components and nodes without neighbours."""
    N = draw(st.integers(1, most))
    pairs = draw(st.lists(st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)), max_size=10))
    adjacency = torch.zeros(N, N, dtype=torch.bool)
    for i, j in pairs:
        if i != j:
            adjacency[i, j] = True
            adjacency[j, i] |= not directed
    return adjacency


def floyd_warshall(adjacency: Tensor) -> list[list[float]]:
    """The length of the shortest path of every pair, infinite where there is none."""
    N = len(adjacency)
    way = [[0.0 if i == j else 1.0 if adjacency[i, j] else float("inf") for j in range(N)] for i in range(N)]
    for k in range(N):
        for i in range(N):
            for j in range(N):
                way[i][j] = min(way[i][j], way[i][k] + way[k][j])
    return way


def permuted(adjacency: Tensor, seed: int = 1) -> tuple[Tensor, Tensor]:
    order = torch.randperm(len(adjacency), generator=torch.Generator().manual_seed(seed))
    return adjacency[order][:, order], order


@given(st.booleans().flatmap(lambda directed: graphs(directed)), st.integers(1, 5))
def test_shortest_paths_are_those_of_floyd_and_warshall(adjacency, longest):
    expected = [
        [longest + 1 if way == float("inf") else min(int(way), longest) for way in row]
        for row in floyd_warshall(adjacency)
    ]
    assert shortest_paths(adjacency, longest).tolist() == expected
    assert connected(adjacency).tolist() == [[way < float("inf") for way in row] for row in floyd_warshall(adjacency)]


def test_shortest_paths_of_a_long_chain_are_clipped_and_not_cut():
    chain = torch.diag(torch.ones(19, dtype=torch.bool), 1)
    chain = chain | chain.T
    assert shortest_paths(chain, 3)[0].tolist() == [0, 1, 2, *[3] * 17]
    assert shortest_paths(chain, 30)[0].tolist() == list(range(20))


@given(graphs(), st.integers(1, 6))
def test_random_walks_are_the_diagonals_of_powers(adjacency, steps):
    edges = adjacency.numpy().astype(float)
    once = edges / np.maximum(edges.sum(1, keepdims=True), 1)
    expected = [np.diag(np.linalg.matrix_power(once, k)) for k in range(1, steps + 1)]
    close(random_walks(adjacency, steps), torch.tensor(np.stack(expected, -1)).float())


def test_formulae_take_batches():
    both = torch.stack([torch.tensor([[0, 1], [1, 0]]), torch.tensor([[0, 0], [0, 0]])]).bool()
    assert shortest_paths(both, 2).tolist() == [[[0, 1], [1, 0]], [[0, 3], [3, 0]]]
    assert random_walks(both, 3).tolist() == [[[0.0, 1.0, 0.0]] * 2, [[0.0] * 3] * 2]


@given(graphs())
def test_the_laplacian_is_that_of_the_book(adjacency):
    edges, N = adjacency.numpy().astype(float), len(adjacency)
    degree = edges.sum(1)
    expected = [
        [
            (1.0 if i == j and degree[i] else 0.0)
            - (edges[i, j] / (degree[i] * degree[j]) ** 0.5 if edges[i, j] else 0)
            for j in range(N)
        ]
        for i in range(N)
    ]
    close(laplacian(adjacency), torch.tensor(expected, dtype=torch.float64))


@given(graphs())
def test_eigenvectors_span_the_spaces_that_numpy_finds(adjacency):
    values, vectors = np.linalg.eigh(laplacian(adjacency).numpy())
    found = laplacian_eigenvectors(adjacency, len(adjacency)).numpy()
    number = 0
    for value in sorted({round(v, 5) for v in values if v > 1e-6}):
        space = vectors[:, np.abs(values - value) < 1e-4]
        np.testing.assert_allclose(found[:, number] ** 2, (space**2).sum(1), atol=1e-5)
        number += 1
    assert not found[:, number:].any()


@given(graphs(), st.integers(0, 99))
def test_everything_follows_the_nodes(adjacency, seed):
    other, order = permuted(adjacency, seed)
    assert shortest_paths(other, 3).equal(shortest_paths(adjacency, 3)[order][:, order])
    close(random_walks(other, 5), random_walks(adjacency, 5)[order])
    close(laplacian_eigenvectors(other, 4), laplacian_eigenvectors(adjacency, 4)[order], 2e-4)


@pytest.mark.parametrize("ring", [3, 4, 6])
def test_eigenvectors_of_a_ring_say_the_same_of_every_node(ring):
    """All nodes of a ring are alike, and no column may tell them apart, though eigenvectors do."""
    adjacency = torch.zeros(ring, ring, dtype=torch.bool)
    for i in range(ring):
        adjacency[i, (i + 1) % ring] = adjacency[(i + 1) % ring, i] = True
    found = laplacian_eigenvectors(adjacency, ring)
    close(found, found[:1].expand_as(found), 1e-5)
