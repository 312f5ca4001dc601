"""A graph as a value: nodes with features, edges between them, each checked when it is made."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.batch import NOWHERE, Value
from headway.errors import DataError, Where, nearest, printable

Features = Mapping[str, str | float]
"""What is known of a node or an edge: words, which are categories, and numbers."""

WORD = "word"
"""The feature of a node that is given as a word."""
TYPE = "type"
"""The feature of an edge that is given as [i, j, type]."""
MOST_NODES, MOST_EDGES = 100_000, 1_000_000
"""What a graph that is one example may have; it goes through the model as a whole."""
MOST_NUMBERS = 10_000
"""Numbers that a list under one feature may have."""


class Graph(Value):
    """Nodes, edges between them, and what is known of both.

    graph = Graph(["C", "C", "O"], [(0, 1), (1, 2, "double")])
    graph = Graph([{"kind": "city", "people": 3.4}, {"kind": "town", "people": 0.1}], [(0, 1)], directed=True)

    nodes      a word each, or an object of features: words and numbers by name
    edges      (i, j), (i, j, type) or (i, j, features), by the numbers of the nodes from 0
    directed   whether an edge leads from i to j only; otherwise it has no direction
    name       what a person calls it; not a part of what it holds
    same       what two have in common that differ in the order of their nodes alone, where that is known
    ids        what a person calls the nodes, likewise

    An edge that is given twice is one edge; given with different features it is refused. A loop from a node to itself
    is left out, since every node looks at itself. Raises DataError.
    """

    def __init__(
        self,
        nodes: Iterable[Any],
        edges: Iterable[Any] = (),
        directed: bool = False,
        name: str = "",
        ids: Sequence[str] = (),
        where: Where = NOWHERE,
    ):
        self.nodes: tuple[Features, ...] = tuple(node_of(node, number, where) for number, node in enumerate(nodes))
        self.directed, self.name, self.ids, self.same = directed, name, tuple(ids), ""
        if not self.nodes:
            raise DataError(where, "the graph has no nodes")
        if len(self.nodes) > MOST_NODES:
            raise DataError(where, _too_many(len(self.nodes), "nodes", MOST_NODES))
        found: dict[tuple[int, int], Features] = {}
        for number, edge in enumerate(edges):
            i, j, features = edge_of(edge, number, len(self.nodes), where)
            key = (i, j) if directed or i <= j else (j, i)
            if i == j:
                continue
            if found.setdefault(key, features) != features:
                raise DataError(
                    where,
                    f"edge {number} joins the nodes {i} and {j} a second time, as {_said(features)} and before as "
                    f"{_said(found[key])}; one edge joins two nodes: give it a type of its own for both",
                )
        if len(found) > MOST_EDGES:
            raise DataError(where, _too_many(len(found), "edges", MOST_EDGES))
        ordered = sorted(found)
        self.pairs: NDArray[np.int32] = np.array(ordered, np.int32).reshape(-1, 2)
        self.features: tuple[Features, ...] = tuple(found[pair] for pair in ordered) if any(found.values()) else ()

    @classmethod
    def checked(
        cls,
        nodes: tuple[Features, ...],
        pairs: NDArray[np.int32],
        features: tuple[Features, ...] = (),
        directed: bool = False,
        name: str = "",
        ids: tuple[str, ...] = (),
        same: str = "",
    ) -> "Graph":
        """Of parts that are known to be right: no check, no copy."""
        made = cls.__new__(cls)
        made.nodes, made.pairs, made.features = nodes, pairs, features
        made.directed, made.name, made.ids, made.same = directed, name, ids, same
        return made

    def first(self, count: int) -> "Graph":
        """The first nodes, and the edges among them."""
        kept: NDArray[np.bool_] = np.all(self.pairs < count, axis=1)
        features = tuple(one for one, stays in zip(self.features, kept) if stays)
        return Graph.checked(self.nodes[:count], self.pairs[kept], features, self.directed, self.name, self.ids[:count])

    def __len__(self) -> int:
        """Nodes."""
        return len(self.nodes)

    @cached_property
    def _content(self) -> str:
        held = [
            [sorted(node.items()) for node in self.nodes],
            self.pairs.tolist(),
            [sorted(features.items()) for features in self.features],
            self.directed,
        ]
        return hashlib.blake2b(json.dumps(held, ensure_ascii=False).encode(), digest_size=16).hexdigest()

    def content(self) -> str:
        """Equal where nodes, edges and features are; their order counts for nodes and not for edges."""
        return self._content

    def identity(self) -> str:
        """Of molecules, rdkit's canonical SMILES of what their features hold."""
        return self.same or self.content()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Graph) and self.content() == other.content()

    def __hash__(self) -> int:
        return hash(self.content())

    @property
    def words(self) -> tuple[str, ...]:
        """Every node as a person reads it: by its id, the first word among its features, or its number."""
        if self.ids:
            return self.ids
        return tuple(
            next((value for value in node.values() if isinstance(value, str)), str(number))
            for number, node in enumerate(self.nodes)
        )

    def __str__(self) -> str:
        if self.name:
            return self.name
        words = self.words
        shown = " ".join(words[:12]) + (" …" if len(words) > 12 else "")
        return f"{len(self.nodes):,} nodes, {len(self.pairs):,} edges: {shown}"


def _too_many(count: int, what: str, most: int) -> str:
    return (
        f"the graph has {count:,} {what}, and a graph that is one example may have {most:,}; labels of single nodes "
        "are learned from a graph.json beside train.tsv, of which only neighbourhoods go into the model"
    )


def features_of(found: Mapping[str, Any], what: str, where: Where) -> Features:
    """Words and numbers by name; null is nothing, true and false are words, a list of numbers is as many features."""
    features: dict[str, str | float] = {}
    for name, value in found.items():
        if value is None:
            continue
        if isinstance(value, list | tuple):
            if len(value) > MOST_NUMBERS or not all(map(_is_number, value)):
                raise DataError(
                    where, f"{what}: the list under {printable(name)!r} holds something else than finite numbers"
                )
            features |= {f"{name}[{place}]": float(number) for place, number in enumerate(value)}
        else:
            features[name] = _value(value, name, what, where)
    return features


def _value(value: Any, name: str, what: str, where: Where) -> str | float:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_number(value):
        return float(value)
    kind = "an object" if isinstance(value, Mapping) else printable(repr(value))
    raise DataError(where, f"{what}: {printable(name)!r} is {kind}, and a word or a finite number is expected")


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def node_of(node: Any, number: int, where: Where) -> Features:
    """The features of a node. Raises DataError."""
    if isinstance(node, Mapping):
        return features_of(node, f"node {number}", where)
    if isinstance(node, str | int) and not isinstance(node, bool):
        return {WORD: str(node)}
    raise DataError(where, f"node {number} is {printable(repr(node))}; a word or an object of features is expected")


def edge_of(edge: Any, number: int, nodes: int, where: Where) -> tuple[int, int, Features]:
    """(from, to, features) of an edge between nodes by number. Raises DataError."""
    if isinstance(edge, str | Mapping) or not isinstance(edge, Sequence) or len(edge) not in (2, 3):
        raise DataError(
            where, f"edge {number} is {printable(repr(edge))}; [from, to] or [from, to, type] is expected, by number"
        )
    i, j = (_end(end, number, nodes, where) for end in edge[:2])
    if len(edge) == 2 or edge[2] is None:
        return i, j, {}
    kind = edge[2]
    if isinstance(kind, Mapping):
        return i, j, features_of(kind, f"edge {number}", where)
    if isinstance(kind, int) and not isinstance(kind, bool):
        return i, j, {TYPE: str(kind)}
    return i, j, features_of({TYPE if isinstance(kind, str) else "weight": kind}, f"edge {number}", where)


def _end(end: Any, number: int, nodes: int, where: Where) -> int:
    if isinstance(end, int) and not isinstance(end, bool) and 0 <= end < nodes:
        return end
    raise DataError(
        where,
        f"edge {number} goes to the node {printable(repr(end))}, and the {nodes:,} nodes are numbered from 0 to "
        f"{nodes - 1:,}",
    )


def _said(features: Features) -> str:
    return ", ".join(f"{name} {value}" for name, value in features.items()) or "an edge without a type"


# ---------------------------------------------------------------------------------------------------------------- JSON

GRAPH = "(graph)"
"""The key under which a reader puts the graph that an object holds."""
EDGES = ("edges", "links")
"""The keys under which edges stand; networkx writes either, by its version."""
OF_NODE = ("y", "target")
"""The keys of a node under which its label stands."""
_OWN = ("nodes", *EDGES, "directed", "multigraph", "graph")


def holds_graph(found: Mapping[str, Any]) -> bool:
    """Whether an object is a graph: it has nodes and edges."""
    return isinstance(found.get("nodes"), list) and any(name in found for name in EDGES)


def graph_of(found: Mapping[str, Any], where: Where = NOWHERE) -> tuple[Graph, dict[str, Any]]:
    """The graph that an object holds, and what else it holds, the labels of its nodes as `labels`. Raises DataError.

    Nodes may have an `id`, by which edges then name them; edges are lists as `Graph` takes them, or objects with
    `source` and `target`, as networkx writes them (node-link).
    """
    nodes, edges, ids = parts_of(found, where)
    attributes = found.get("graph")
    rest = dict(attributes) if isinstance(attributes, Mapping) else {}
    rest |= {name: value for name, value in found.items() if name not in _OWN}
    labels = [_taken(node, OF_NODE) if isinstance(node, Mapping) else (node, None) for node in nodes]
    if any(label is not None for _, label in labels):
        rest.setdefault("labels", [label for _, label in labels])
    directed = is_directed(found, where)
    name = rest.get("name")
    graph = Graph([node for node, _ in labels], edges, directed, name if isinstance(name, str) else "", ids, where)
    return graph, rest


def is_directed(found: Mapping[str, Any], where: Where) -> bool:
    """Whether the edges of an object lead one way. Raises DataError."""
    directed = found.get("directed") or False
    if not isinstance(directed, bool):
        raise DataError(where, f"'directed' is {printable(repr(directed))}, and true or false is expected")
    return directed


def parts_of(found: Mapping[str, Any], where: Where) -> tuple[list[Any], list[Any], tuple[str, ...]]:
    """(nodes without ids, edges by the numbers of nodes, ids) of an object. Raises DataError."""
    nodes = found.get("nodes")
    if not isinstance(nodes, list):
        raise DataError(where, "a graph has a list under 'nodes', and edges under 'edges' or 'links'")
    edges = next((found[name] for name in EDGES if found.get(name) is not None), [])
    if not isinstance(edges, list):
        raise DataError(where, f"the edges are {printable(repr(edges))}, and a list is expected")
    given = [node.get("id") if isinstance(node, Mapping) else None for node in nodes]
    if any(name is not None for name in given):
        places = _places(given, where)
        edges = [_by_number(edge, number, places, where) for number, edge in enumerate(edges)]
        nodes = [{name: value for name, value in node.items() if name != "id"} for node in nodes]
        return nodes, edges, tuple(map(str, given))
    everyone = range(len(nodes))
    numbers = {number: number for number in everyone}
    return nodes, [_by_number(edge, number, numbers, where) for number, edge in enumerate(edges)], ()


def _places(given: Sequence[Any], where: Where) -> dict[Any, int]:
    """The number of each node by its id."""
    places: dict[Any, int] = {}
    for number, name in enumerate(given):
        if not isinstance(name, str | int) or isinstance(name, bool):
            raise DataError(where, f"node {number} has no id that is a word or a whole number, and others have one")
        if name in places:
            raise DataError(where, f"the nodes {places[name]} and {number} have the same id {printable(name)!r}")
        places[name] = number
    return places


def _by_number(edge: Any, number: int, places: Mapping[Any, int], where: Where) -> Any:
    """An edge with its ends by number; what is no edge is left for `Graph` to complain about."""
    if isinstance(edge, Mapping):
        missing = [end for end in ("source", "target") if end not in edge]
        if missing:
            raise DataError(where, f"edge {number} has no {' and no '.join(map(repr, missing))}")
        features = {name: value for name, value in edge.items() if name not in ("source", "target", "key")}
        edge = (edge["source"], edge["target"], features)
    if isinstance(edge, str) or not isinstance(edge, Sequence) or len(edge) not in (2, 3):
        return edge
    return (*(_place(end, number, places, where) for end in edge[:2]), *edge[2:])


def _place(end: Any, number: int, places: Mapping[Any, int], where: Where) -> int:
    if isinstance(end, str | int) and not isinstance(end, bool) and end in places:
        return places[end]
    problem = f"edge {number} goes to the node {printable(repr(end))}, and there is no such node"
    meant = (
        nearest(end, [name for name in list(places)[:10_000] if isinstance(name, str)])
        if isinstance(end, str)
        else None
    )
    advice = f"; did you mean {printable(meant)!r}?" if meant else f" among {len(places):,}"
    if not meant and places and all(isinstance(name, int) for name in places):
        advice = f": the {len(places):,} nodes are {min(places)} to {max(places)}"
    raise DataError(where, problem + advice)


def _taken(node: Mapping[str, Any], names: Sequence[str]) -> tuple[dict[str, Any], Any]:
    """The node without these keys, and what stood under the first of them."""
    label = next((node[name] for name in names if node.get(name) is not None), None)
    return {name: value for name, value in node.items() if name not in names}, label
