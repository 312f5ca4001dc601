"""Graphs as counts of what stands around their nodes: the subtrees of Weisfeiler and Lehman (Shervashidze et al. 2011).

A node is first called by its words; then, again and again, by what it is called and what its neighbours are, with the
edges to them. Numbers are not read. Of one large graph, a node is what is known of it and of its neighbours.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from headway.batch import Example
from headway.data.sources._graphs import Features
from headway.data.sources._neighbourhoods import HOP, Seed
from headway.data.sources.graph import Graph
from headway.lab.baselines._sparse import BUCKETS, Sparse

DEPTH = 2
"""How many edges away a node's surroundings reach."""
NODES_PER_SECOND = 20_000
"""That are read in a second of a budget."""
NEIGHBOURS = 100
"""Of a node of a large graph that are read, in each direction."""


def refuses_other_than_graphs(examples: Sequence[Example]) -> str | None:
    """The reason of a baseline that reads graphs only, by the first example."""
    return None if examples and isinstance(examples[0].source, Graph | Seed) else "it reads graphs only"


def cost(example: Example) -> float:
    """Nodes that are read."""
    return 10.0 if isinstance(example.source, Seed) else float(len(example.source))


def called(graph: Graph, depth: int = DEPTH) -> list[list[int]]:
    """For 0 … `depth` edges around, what each node is called."""
    kept: dict[int, int] = {}
    names = [kept[id(node)] if id(node) in kept else kept.setdefault(id(node), _hash(node)) for node in graph.nodes]
    edges = graph.features or ({},) * len(graph.pairs)
    kinds = {id(features): _hash(features) for features in edges}
    around: list[list[tuple[int, int]]] = [[] for _ in names]
    for (i, j), features in zip(graph.pairs.tolist(), edges, strict=True):
        kind = kinds[id(features)]
        around[i].append((kind, j))
        around[j].append((kind + 1 if graph.directed else kind, i))
    found = [names]
    for _ in range(depth):
        last = found[-1]
        found.append(
            [
                zlib.crc32(repr((last[i], sorted((kind, last[j]) for kind, j in near))).encode())
                for i, near in enumerate(around)
            ]
        )
    return found


def counts(sources: Sequence[Graph | Seed]) -> Sparse:
    """How often each surrounding occurs in each source; columns are buckets."""
    rows = [Counter(_things(source)) for source in sources]
    starts = np.cumsum([0, *map(len, rows)])
    columns = np.array([key % BUCKETS for row in rows for key in row], np.int32)
    return Sparse(starts, columns, np.array([often for row in rows for often in row.values()], np.float64))


def _things(source: Graph | Seed) -> Iterator[int]:
    if isinstance(source, Graph):
        for names in called(source):
            yield from names
        return
    around = source.graph.around(source.node, 1, NEIGHBOURS, labels=True)
    yield _hash(around.nodes[0])
    edges = around.features or ({},) * len(around.pairs)
    for (i, j), features in zip(around.pairs.tolist(), edges, strict=True):
        if 0 in (i, j):
            other = around.nodes[j or i]
            for name, value in other.items():
                if name != HOP:
                    yield zlib.crc32(repr((name, value)).encode())
                    yield zlib.crc32(repr((name, value, j == 0, sorted(features.items()))).encode())


def _hash(features: Features) -> int:
    words = sorted((name, value) for name, value in features.items() if isinstance(value, str))
    return zlib.crc32(json.dumps(words).encode())
