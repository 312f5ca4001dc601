"""Graphs: nodes are the elements, and their structure is told to self-attention.

A node's vector is the sum of its features' vectors, of its degree's, and of where it lies (random walks that come back,
Dwivedi et al. 2022; or eigenvectors of the Laplacian, Dwivedi & Bresson 2020). Edges say who may look at whom, or they
and the distances are biases on the scores (Graphormer, Ying et al. 2021). Nodes have no order, so the answers follow
the nodes however these are numbered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from headway.batch import PAD, Part
from headway.errors import UsageError
from headway.functional.graphs import shortest_paths
from headway.functional.masks import Mask
from headway.inputs import Input, Vectors
from headway.inputs._relations import RelationBias, Relations
from headway.kernels.dropout import generator_for
from headway.layers.blocks import BLOCKS
from headway.layers.encoder import EncoderSettings
from headway.layers.mixers import MIXERS
from headway.layers.mixers.attention import Settings as AttentionSettings
from headway.positions import POSITIONS
from headway.settings import Branch, Count, Rate

FARTHEST = 250
"""The longest distance that can be told; they are kept as bytes."""


class Settings(Branch):
    attend: Literal["edges", "all"] = "all"
    "Where a node may look: at its neighbours and itself, or at all nodes, where biases tell how they are related."
    distance: Annotated[int, Field(ge=0)] = 8
    "Shortest paths up to this many edges each have a bias; longer ones share the last; 0 for none. Of attend all."
    edge_types: bool = True
    "Whether each type of edge has a bias."
    degree: bool = True
    "Whether the number of a node's neighbours is told."
    position: Literal["none", "random_walk", "laplacian"] = "random_walk"
    "How a node is told where it lies: chances that random walks come back, or eigenvectors of the Laplacian."
    steps: Count = 16
    "Steps of the random walks, or eigenvectors."
    word_dropout: Rate = 0.0
    "Share of the features that training reads as unknown, so that the others and the surroundings must speak."
    hops: Count = 2
    "Of one large graph: how many edges a neighbourhood reaches."
    neighbours: Count = 8
    "Of one large graph: neighbours that are taken of a node, in each direction."
    known_labels: bool = True
    "Of one large graph: whether nodes of the training part show their labels to the nodes around them."

    @property
    def longest(self) -> int:
        """The longest distance that has a bias. Raises UsageError for one that makes no sense."""
        if self.distance == 1 or self.distance > FARTHEST:
            raise UsageError(
                f"model.input.distance is {self.distance:,}: a distance of 1 is an edge, which has a bias of its own, "
                f"and at most {FARTHEST} are told; 0 is for none"
            )
        return self.distance if self.attend == "all" else 0


@dataclass(frozen=True)
class GraphSizes:
    """What the data decide.

    values     features of nodes by value, padding and the unknown ones among them
    unknown    of each value the number that stands for an unknown one of the same feature
    numbers    that a node has
    types      of edges, 1 at least
    directed   whether edges lead one way
    measures   numbers that an edge has
    """

    values: int
    unknown: tuple[int, ...]
    numbers: int
    types: int
    directed: bool
    measures: int


@dataclass(frozen=True, slots=True)
class GraphRow:
    """A graph as numbers.

    values     (N, F) the features of each node, PAD where it has none
    numbers    (N, G) what is measured of each node
    places     (N, K) eigenvectors; K = 0 where they are not told
    pairs      (E, 2) nodes that are neighbours, each pair once
    types      (E, 2) the type of the edge there and of that back, 0 for none
    measures   (E, M) what is measured of the edge there and, in directed graphs, of that back
    distance   (N, N) of `shortest_paths`; None where it is not told, or worked out again for every batch
    """

    values: NDArray[np.int32]
    numbers: NDArray[np.float32]
    places: NDArray[np.float32]
    pairs: NDArray[np.int32]
    types: NDArray[np.int32]
    measures: NDArray[np.float32]
    distance: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def first(self, count: int) -> "GraphRow":
        """The first nodes, and the edges among them."""
        kept = (self.pairs < count).all(1)
        return GraphRow(
            self.values[:count],
            self.numbers[:count],
            self.places[:count],
            self.pairs[kept],
            self.types[kept],
            self.measures[kept],
        )

    def padded(self, count: int) -> "GraphRow":
        """The same graph, and nodes behind it of which nothing is known."""
        more = ((0, count - len(self)), (0, 0))
        return replace(
            self,
            values=np.pad(self.values, more),
            numbers=np.pad(self.numbers, more),
            places=np.pad(self.places, more),
            distance=None,
        )

    def adjacency(self) -> NDArray[np.bool_]:
        """(N, N) neighbours, whichever way an edge leads."""
        return neighbours(self.pairs, len(self))

    def distances(self, longest: int) -> NDArray[np.uint8]:
        """(N, N) along edges, whichever way they lead."""
        if self.distance is not None:
            return self.distance
        return shortest_paths(torch.from_numpy(self.adjacency()), longest).numpy().astype(np.uint8)


def neighbours(pairs: NDArray[np.int32], nodes: int) -> NDArray[np.bool_]:
    """(N, N) which nodes have an edge between them."""
    table = np.zeros((nodes, nodes), np.bool_)
    table[pairs[:, 0], pairs[:, 1]] = table[pairs[:, 1], pairs[:, 0]] = True
    return table


def collate(rows: Sequence[GraphRow], relations: Relations) -> Part:
    """Graphs as one part.

    values      (B, S, F) features, PAD behind the smaller graphs
    numbers     (B, S, G) what is measured of nodes
    places      (B, S, K) eigenvectors; left out where there are none
    keys        (B, S) which nodes are real; left out where all are
    relations   (B, S, S) what each node is to each other (`Relations`)
    measures    (B, S, S, M) what is measured of edges; left out where there is nothing
    """
    lengths = np.array([len(row) for row in rows])
    B, S = len(rows), int(lengths.max(initial=0))
    table = np.zeros((B, S, S), np.int32)
    for number, row in enumerate(rows):
        N = len(row)
        own = table[number, :N, :N]
        if relations.longest:
            own[:] = relations.of_distances(row.distances(relations.longest).astype(np.int64))
        else:
            own[:] = relations.edges + 1
            np.fill_diagonal(own, 0)
        i, j = row.pairs.T
        there, back = row.types.T.astype(np.int64)
        own[i, j], own[j, i] = relations.of_edges(there, back), relations.of_edges(back, there)
    part: Part = {
        "values": _padded([row.values for row in rows], S).long(),
        "numbers": _padded([row.numbers for row in rows], S),
        "relations": torch.from_numpy(table),
    }
    if rows and rows[0].places.shape[1]:
        part["places"] = _padded([row.places for row in rows], S)
    if rows and rows[0].measures.shape[1]:
        part["measures"] = _measures(rows, S, relations.directed)
    if (lengths != S).any():
        part["keys"] = torch.from_numpy(np.arange(S) < lengths[:, None])
    return part


def _padded(arrays: Sequence[NDArray], S: int) -> Tensor:
    """(B, S, …) with zeros behind the shorter ones."""
    table = np.zeros((len(arrays), S, *arrays[0].shape[1:]), arrays[0].dtype)
    for row, array in enumerate(arrays):
        table[row, : len(array)] = array
    return torch.from_numpy(table)


def _measures(rows: Sequence[GraphRow], S: int, directed: bool) -> Tensor:
    M = rows[0].measures.shape[1]
    table = np.zeros((len(rows), S, S, M), np.float32)
    for number, row in enumerate(rows):
        i, j = row.pairs.T
        table[number, i, j] = row.measures
        table[number, j, i] = np.roll(row.measures, M // 2, 1) if directed else row.measures  # seen from its other end
    return torch.from_numpy(table)


class GraphInput(Input):
    """Nodes -> (B, S, D), who may look at whom, and a bias for every pair."""

    def __init__(self, settings: Settings, width: int, sizes: GraphSizes, heads: int = 1):
        super().__init__()
        self.settings, self.width = settings, width
        self.relations = Relations(sizes.types, sizes.directed, settings.longest)
        self.table = nn.Parameter(torch.empty(sizes.values, width).normal_())
        self.numbers = nn.Linear(sizes.numbers, width) if sizes.numbers else None
        self.places = nn.Linear(settings.steps, width, bias=False) if settings.position == "laplacian" else None
        self.bias = RelationBias(self.relations, heads, settings.edge_types, sizes.measures)
        self.unknown: Tensor
        self.register_buffer("unknown", torch.tensor(sizes.unknown), persistent=False)

    @classmethod
    def made(cls, settings: Settings, shape: EncoderSettings, sizes: GraphSizes) -> "GraphInput":
        """With a bias for every head. Raises UsageError for an encoder that reads its elements in an order."""
        position, mixer = POSITIONS.name_of(shape.position), MIXERS.name_of(shape.mixer)
        if position != "none":
            raise UsageError(
                f"model.encoder.position is {position}, and the nodes of a graph have no order that it could tell: set "
                "it to none; model.input.position tells where a node lies"
            )
        if not isinstance(shape.mixer, AttentionSettings):
            raise UsageError(
                f"model.encoder.mixer is {mixer}, which reads elements in their order, and the nodes of a graph have "
                "none: set it to attention, which is told edges and distances"
            )
        if shape.mixer.window is not None:
            raise UsageError(
                "model.encoder.mixer.window is a distance in an order, and the nodes of a graph have none: "
                "model.input.attend edges lets each node see its neighbours"
            )
        if BLOCKS.part(block := BLOCKS.name_of(shape.block)).ordered:
            raise UsageError(
                f"model.encoder.block is {block}, which reads elements in their order, and the nodes of a graph have "
                "none: set it to transformer"
            )
        return cls(settings, shape.width, sizes, shape.mixer.heads)

    def forward(self, part: Part) -> Vectors:
        relations = part["relations"]
        x = self._features(part["values"])
        if self.numbers is not None:
            x = x + self.numbers(part["numbers"].to(self.numbers.weight.dtype))
        if self.places is not None:
            x = x + self.places(self._flipped(part["places"]).to(self.places.weight.dtype))
        measures = part.get("measures")
        bias = self.bias(relations, None if measures is None else measures.to(x.dtype))
        edges = relations <= self.relations.edges if self.settings.attend == "edges" else None
        return Vectors(x, Mask(part.get("keys"), edges=edges), bias)

    def _features(self, values: Tensor) -> Tensor:
        """(B, S, F) -> (B, S, D) the sum of the features' vectors, of the size that one has."""
        B, S, F_ = values.shape
        if self.training and self.settings.word_dropout:
            drawn = torch.rand(values.shape, device=values.device, generator=generator_for(values))
            values = torch.where(drawn < self.settings.word_dropout, self.unknown[values], values)
        found = F.embedding_bag(values.view(B * S, F_), self.table, mode="sum", padding_idx=PAD)
        return found.view(B, S, self.width) * max(1, F_) ** -0.5

    def _flipped(self, places: Tensor) -> Tensor:
        """Eigenvectors have no sign: in training every graph's have one by chance, each time another."""
        if not self.training:
            return places
        shape = (len(places), 1, places.shape[2])
        signs = torch.randint(2, shape, device=places.device, generator=generator_for(places))
        return places * (2 * signs - 1)
