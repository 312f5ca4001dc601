"""Graphs through a model: answers follow the nodes, whatever is told and however nodes are numbered."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from building import D, no_gradient_is_missing, shape, stirred
from comparing import close, same
from headway.batch import Memory
from headway.data.settings import DataSettings
from headway.data.sources.graph import Graph, SourceGraph
from headway.errors import UsageError
from headway.functional.attention import softmax
from headway.inputs import graph
from headway.inputs._relations import RelationBias, Relations, looked_up
from headway.inputs.graph import GraphInput
from headway.kernels.dropout import drawn_from
from headway.layers.encoder import Encoder, EncoderSettings
from headway.layers.mixers import Look
from headway.layers.mixers.attention import Settings as AttentionSettings
from headway.layers.mixers.recurrent import Settings as RecurrentSettings
from headway.layers.readout import Readout
from headway.positions.none import Settings as NoPosition

ENCODER = shape(position=NoPosition())


def some(directed: bool = False) -> list[Graph]:
    """A ring with a tail, two pairs, a lone node, and a chain, with words, numbers, types and weights."""

    def node(word: str, number: float) -> dict[str, Any]:
        return {"kind": word, "size": number}

    ring = [node(word, number) for number, word in enumerate("abcaab")]
    tail = [
        (0, 1, "s"),
        (1, 2, "d"),
        (2, 3, "s"),
        (3, 0, {"type": "s", "weight": 2.0}),
        (3, 4),
        (4, 5, {"type": "d", "weight": 0.5}),
    ]
    pairs = [node("a", 1.0), node("b", 0.5), node("a", 3.0), node("c", 1.0)]
    return [
        Graph(ring, tail, directed),
        Graph(pairs, [(1, 0, "s"), (2, 3, "d")], directed),
        Graph([node("c", 0.0)], [], directed),
        Graph([node(word, 1.0) for word in "abcab"], [(i, i + 1, "s") for i in range(4)], directed),
    ]


CHOICES = {
    "nothing told": {"distance": 0, "edge_types": False, "degree": False, "position": "none"},
    "edges only": {"attend": "edges", "edge_types": False, "degree": False, "position": "none"},
    "edges with types": {"attend": "edges", "edge_types": True, "position": "none"},
    "distances": {"distance": 2, "edge_types": False, "position": "none"},
    "degrees": {"distance": 0, "edge_types": False, "degree": True, "position": "none"},
    "random walks": {"distance": 0, "position": "random_walk", "steps": 5},
    "laplacian": {"distance": 0, "position": "laplacian", "steps": 3},
    "everything": {"position": "random_walk", "steps": 4},
}


class Whole(nn.Module):
    """Graphs to a vector a node, and to one for the whole."""

    def __init__(self, settings: graph.Settings, graphs: list[Graph], encoder: EncoderSettings = ENCODER):
        super().__init__()
        self.codec = SourceGraph.made(DataSettings(), settings)
        self.codec.fit(graphs)
        self.input = GraphInput.made(settings, encoder, self.codec.sizes)
        self.encoder = Encoder(encoder)
        self.readout = Readout("attention", D)

    def memory(self, graphs: list[Graph]) -> Memory:
        vectors = self.input(self.codec.collate(self.codec.encode_all(graphs)))
        return self.encoder(vectors.x, vectors.mask, vectors.bias)

    def forward(self, graphs: list[Graph]) -> Tensor:
        return self.readout(self.memory(graphs))


def whole(name: str, directed: bool = False) -> Whole:
    return stirred(Whole(graph.Settings(**CHOICES[name]), some(directed))).eval()


def renumbered(given: Graph, order: list[int]) -> Graph:
    """The same graph, its node order[i] now number i."""
    place = {old: new for new, old in enumerate(order)}
    features = given.features or ({},) * len(given.pairs)
    edges = [(place[i], place[j], dict(known)) for (i, j), known in zip(given.pairs.tolist(), features, strict=True)]
    return Graph([given.nodes[old] for old in order], edges[::-1], given.directed)


each = pytest.mark.parametrize("name", CHOICES)


@pytest.mark.sampled(5)
@each
@pytest.mark.parametrize("directed", [False, True])
def test_answers_follow_the_nodes_however_they_are_numbered(name, directed):
    made = whole(name, directed)
    with torch.inference_mode():
        for given in some(directed):
            order = torch.randperm(len(given), generator=torch.Generator().manual_seed(len(given))).tolist()
            before, after = made.memory([given]).x[0], made.memory([renumbered(given, order)]).x[0]
            close(after, before[order], 2e-5)
            close(made([renumbered(given, order)]), made([given]), 2e-5)


@pytest.mark.sampled(5)
@each
@pytest.mark.parametrize("directed", [False, True])
def test_neither_padding_nor_batch_mates_change_an_answer(name, directed):
    made, graphs = whole(name, directed), some(directed)
    with torch.inference_mode():
        together = made.memory(graphs)
        for row, given in enumerate(graphs):
            close(together.x[row, : len(given)], made.memory([given]).x[0], 2e-5)
        close(made(graphs), torch.cat([made([given]) for given in graphs]), 2e-5)


KINDS = ["s", "d", "new"]
EVERYTHING: list[Whole] = []


@given(
    words=st.lists(st.sampled_from("abcx"), min_size=1, max_size=6),
    pairs=st.dictionaries(st.tuples(st.integers(0, 5), st.integers(0, 5)), st.sampled_from(KINDS), max_size=9),
    order=st.permutations(range(6)),
)
def test_random_graphs_and_words_that_training_never_saw(words, pairs, order):
    if not EVERYTHING:
        EVERYTHING.append(whole("everything"))
    once = {tuple(sorted(pair)): kind for pair, kind in pairs.items() if max(pair) < len(words)}
    drawn = Graph([{"kind": word} for word in words], [(i, j, kind) for (i, j), kind in once.items()])
    order = [number for number in order if number < len(words)]
    with torch.inference_mode():
        close(EVERYTHING[0]([renumbered(drawn, order)]), EVERYTHING[0]([drawn]), 2e-5)


@each
def test_every_weight_learns(name):
    made = whole(name, directed=True).train()
    output = made(some(True))
    no_gradient_is_missing(made, (output * torch.randn_like(output)).sum())


def test_a_node_sees_its_neighbours_and_itself_only():
    made = whole("edges only")
    given = some()[0]
    far, near = given.nodes[5], given.nodes[1]
    changed = Graph([*given.nodes[:5], {**far, "size": 9.0}], [tuple(pair) for pair in given.pairs.tolist()])
    kept = Graph(given.nodes, [tuple(pair) for pair in given.pairs.tolist()])
    vectors = made.input(made.codec.collate(made.codec.encode_all([kept])))
    edges = vectors.mask.edges[0]
    joined = {tuple(pair) for pair in given.pairs.tolist()}
    for i, j in itertools.product(range(6), repeat=2):
        assert bool(edges[i, j]) == (i == j or (min(i, j), max(i, j)) in joined)
    with torch.inference_mode():  # two layers see two edges far: node 5 is three edges away from node 0, two from 3
        before, after = made.memory([kept]).x[0], made.memory([changed]).x[0]
    assert before[0].equal(after[0]) and before[1].equal(after[1]) and not before[3].allclose(after[3])
    assert near["kind"] == "b"


def test_bias_and_mask_are_those_of_the_definition():
    """One layer by hand: softmax(q·k/√K + b_distance + b_type + weight · w) over the nodes of the graph alone."""
    made, given = whole("everything"), some()[0]
    row = made.codec.encode_all([given])[0]
    vectors = made.input(made.codec.collate([row]))
    bias, learned = vectors.bias[0], made.input.bias
    types = {(i, j): kind for (i, j), (kind, _) in zip(row.pairs.tolist(), row.types.tolist(), strict=True)}
    weights = {tuple(pair): float(value[0]) for pair, value in zip(row.pairs.tolist(), row.measures, strict=True)}
    distance = row.distances(8)
    for i, j in itertools.product(range(len(given)), repeat=2):
        key = (min(i, j), max(i, j))
        expected = learned.distance[:, int(distance[i, j])].clone()
        if key in types and i != j:
            expected = expected + learned.there[:, types[key] - 1] + weights[key] * learned.measures[:, 0]
        close(bias[:, i, j], expected, 1e-5)
    mixer = made.encoder.blocks[0].mixer
    with torch.inference_mode():
        request = mixer.request(vectors.x, Look(vectors.mask, vectors.bias))
        scores = request.q @ request.k.mT / request.q.shape[-1] ** 0.5 + vectors.bias
        by_hand = softmax(scores) @ request.v
        found = mixer(vectors.x, Look(vectors.mask, vectors.bias))
        close(found, mixer.output(by_hand.transpose(1, 2).flatten(2)), 1e-5)


def test_the_direction_of_an_edge_is_told_and_that_of_a_pair_is_not():
    there = Graph(["a", "b"], [(0, 1, "s")], directed=True)
    back = Graph(["a", "b"], [(1, 0, "s")], directed=True)
    both = Graph(["a", "b"], [(0, 1, "s"), (1, 0, "s")], directed=True)
    made = stirred(Whole(graph.Settings(), [there, back, both])).eval()
    with torch.inference_mode():
        one, other, third = (made([given])[0] for given in (there, back, both))
    assert not one.allclose(other) and not one.allclose(third)
    undirected = Graph(["a", "b"], [(1, 0, "s")])
    with torch.inference_mode():
        close(made([undirected])[0], third, 1e-5)


# --------------------------------------------------------------------------------------------------------- small pieces


@pytest.mark.parametrize("longest", [0, 2, 5])
@pytest.mark.parametrize("directed", [False, True])
def test_every_relation_has_one_number(directed, longest):
    relations = Relations(3, directed, longest)
    distance, there, back = relations.told()
    assert len(distance) == relations.count
    told = list(zip(distance.tolist(), there.tolist(), back.tolist(), strict=True))
    assert told[0] == (0, 0, 0) and len(set(told)) == len(told)
    for one, other in itertools.product(range(4), repeat=2):
        if (one or other) and (directed or one == other):
            number = int(relations.of_edges(np.array([one]), np.array([other]))[0])
            assert told[number] == (1, one, other if directed else 0)
    if longest:
        numbers = relations.of_distances(np.arange(2, longest + 2)[None]).tolist()[0]
        assert [told[number][0] for number in numbers] == list(range(2, longest + 2))
        assert all(number > relations.edges for number in numbers)


def test_looking_up_is_indexing_in_value_and_gradient():
    table = torch.randn(3, 7, dtype=torch.float64)
    numbers = torch.randint(7, (2, 4, 4), dtype=torch.int32)
    same(lambda table: looked_up(table, numbers), lambda table: table[:, numbers.long()].transpose(0, 1), [table])
    table.requires_grad_()
    assert torch.autograd.gradcheck(lambda table: looked_up(table, numbers), table)


def test_without_biases_there_is_none():
    assert RelationBias(Relations(2, False, 0), 3, False, 0)(torch.zeros(1, 2, 2, dtype=torch.int32), None) is None


def test_signs_of_eigenvectors_are_drawn_in_training_by_the_seed_of_the_part():
    made = whole("laplacian")
    part = made.codec.collate(made.codec.encode_all(some()))
    assert made.input(part).x.equal(made.input(part).x)
    made.train()
    drawn = []
    for seed in (1, 1, *range(2, 8)):
        with drawn_from(seed):
            drawn.append(made.input(part).x)
    assert drawn[0].equal(drawn[1]) and not all(drawn[0].equal(other) for other in drawn[2:])
    flips = (made.input._flipped(part["places"]) / part["places"]).nan_to_num(0.0)
    assert all(column[column != 0].unique().numel() <= 1 for graph in flips for column in graph.T)


def test_dropped_features_are_read_as_unknown():
    made = stirred(Whole(graph.Settings(word_dropout=0.5), some())).train()
    part = made.codec.collate(made.codec.encode_all(some()))
    with drawn_from(3):
        dropped = made.input(part).x
    assert not dropped.equal(made.input.eval()(part).x)
    unknown = Graph([{"kind": "never seen"}], [])
    row = made.codec.encode_all([unknown])[0]
    assert {int(value) for value in row.values[0]} & set(made.input.unknown.tolist())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"position": "rotary"}, "position is rotary, and the nodes of a graph have no order"),
        ({"mixer": RecurrentSettings()}, "mixer is recurrent, which reads elements in their order"),
        ({"mixer": AttentionSettings(heads=3, window=2)}, "window is a distance in an order"),
    ],
)
def test_what_needs_an_order_is_refused_with_the_reason(changed, said):
    encoder = EncoderSettings(**{"width": D, "position": "none", "mixer": AttentionSettings(heads=3)} | changed)
    with pytest.raises(UsageError, match=said):
        Whole(graph.Settings(), some(), encoder)


@pytest.mark.parametrize("distance", [1, 251])
def test_a_distance_of_one_is_an_edge_and_there_is_a_farthest(distance):
    with pytest.raises(UsageError, match=f"distance is {distance}: a distance of 1 is an edge.* at most 250 are told"):
        Whole(graph.Settings(distance=distance), some())
