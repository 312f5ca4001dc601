"""What a graph says of its nodes' places: shortest paths, random walks that come back, eigenvectors of its Laplacian.

All of them follow the nodes: where these are numbered otherwise, the answers are numbered otherwise, and are the same.
"""

import itertools

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

ALIKE = 1e-6
"""Eigenvalues this near are one: the eigenvectors of such a space can be turned, and only the space has a meaning."""


def shortest_paths(adjacency: Bool[Tensor, "*B N N"], longest: int) -> Int[Tensor, "*B N N"]:
    """How many edges the shortest path from i to j has, by breadth-first search: the distance of Graphormer.

    0 for a node itself; a path longer than `longest` counts as `longest`; longest + 1 where there is no path
    (Ying et al. 2021, section 3.1.2).
    """
    N = adjacency.shape[-1]
    steps, own = adjacency.float(), torch.eye(N, dtype=torch.bool, device=adjacency.device)
    reached = newest = own.expand_as(adjacency)
    distance = torch.full(adjacency.shape, longest + 1, dtype=torch.int64, device=adjacency.device)
    distance = distance.masked_fill(own, 0)
    for length in range(1, longest + 1):
        newest = (newest.float() @ steps > 0) & ~reached
        if not newest.any():
            return distance
        distance, reached = distance.masked_fill(newest, length), reached | newest
    return distance.masked_fill(connected(adjacency) & ~reached, longest)


def connected(adjacency: Bool[Tensor, "*B N N"]) -> Bool[Tensor, "*B N N"]:
    """Whether some path leads from i to j: ways of at most 1, 2, 4, 8 … edges, until they reach no farther."""
    N = adjacency.shape[-1]
    reached = adjacency | torch.eye(N, dtype=torch.bool, device=adjacency.device)
    length = 1
    while length < N - 1:
        farther = reached.float() @ reached.float() > 0
        if farther.equal(reached):
            break
        reached, length = farther, 2 * length
    return reached


def random_walks(adjacency: Bool[Tensor, "*B N N"], steps: int) -> Float[Tensor, "*B N k"]:
    """The probability that a random walk of 1 … `steps` steps ends where it began: diag((D⁻¹A)ᵏ).

    Dwivedi et al. 2022 (RWSE). A walk from a node without neighbours goes nowhere, and comes back never.
    """
    edges = adjacency.float()
    once = edges / edges.sum(-1, keepdim=True).clamp(min=1)
    powers, N = [once], adjacency.shape[-1]
    while 2 * len(powers) < steps:
        powers.append(powers[-1] @ once)
    half = len(powers)
    found = [power.diagonal(dim1=-2, dim2=-1) for power in powers]
    # diag(PᵃPᵇ) is a sum over rows, so that only half of the powers have to be multiplied out
    found += [(powers[half - 1] * powers[more].mT).sum(-1) for more in range(half)]
    return torch.stack(found[:steps], -1) if N else adjacency.new_zeros(*adjacency.shape[:-1], steps).float()


def laplacian(adjacency: Bool[Tensor, "*B N N"]) -> Float[Tensor, "*B N N"]:
    """I − D^−½ A D^−½, in float64; the row of a node without neighbours is 0."""
    edges = adjacency.double()
    degree = edges.sum(-1)
    scale = degree.clamp(min=1).rsqrt()
    return torch.diag_embed((degree > 0).double()) - scale[..., :, None] * edges * scale[..., None, :]


def laplacian_eigenvectors(adjacency: Bool[Tensor, "N N"], count: int) -> Float[Tensor, "N k"]:
    """One column for each of the `count` smallest eigenvalues above 0, zeros where there are no more (Dwivedi 2020).

    An eigenvector has no sign, so it is given the one that makes the sum of its cubes positive. Where that sum is 0,
    and where an eigenvalue has several eigenvectors, which can be turned into each other, the column is what all of
    them have in common: how much of each node lies in their space. So the columns follow the nodes, however symmetric.
    """
    values, vectors = torch.linalg.eigh(laplacian(adjacency))
    columns = adjacency.new_zeros((len(values), count), dtype=torch.float64)
    spaces = torch.split(vectors, _multiplicities(values), dim=1)
    first = torch.cumsum(torch.tensor([0, *(space.shape[1] for space in spaces)]), 0)[:-1]
    kept = [space for space, start in zip(spaces, first.tolist(), strict=True) if values[start] > ALIKE]
    for number, space in enumerate(kept[:count]):
        columns[:, number] = _signed(space[:, 0]) if space.shape[1] == 1 else space.square().sum(1).sqrt()
    return columns.float()


def _multiplicities(values: Tensor) -> list[int]:
    """How many of the ascending eigenvalues are one, each time."""
    if not len(values):
        return []
    steps = (values.diff() > ALIKE).nonzero().flatten() + 1
    bounds = [0, *steps.tolist(), len(values)]
    return [stop - start for start, stop in itertools.pairwise(bounds)]


def _signed(vector: Tensor) -> Tensor:
    cubes = vector.pow(3).sum()
    return vector.abs() if cubes.abs() < ALIKE else vector * cubes.sign()
