"""Graphs as rows of numbers: from node-link JSON, from SMILES and MOL by way of rdkit, or around a node of a large one.

What stands in a node's or an edge's features as words becomes categories by name, what stands there as numbers is
brought to mean 0 and spread 1. A node's degree is one more category, the chances that random walks come back are more
numbers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from headway.batch import PAD, Example, Part
from headway.data.settings import DataSettings
from headway.data.sources import SourceCodec
from headway.data.sources._graphs import TYPE, Features, Graph, graph_of
from headway.data.sources._mol_files import from_file, names_block
from headway.data.sources._molecules import Smiles, from_smiles
from headway.data.sources._neighbourhoods import HOP, MOST, Seed, beside, seed_of
from headway.errors import DataError, UsageError
from headway.functional.graphs import laplacian_eigenvectors, random_walks
from headway.inputs import graph as graph_input
from headway.inputs._relations import Relations
from headway.inputs.graph import GraphRow, GraphSizes, neighbours

__all__ = ["Graph", "SourceGraph"]

VALUES = 20_000
"""Values of a feature of nodes that are known at most, the most frequent ones."""
TYPES = 100
"""Types of edges that are known at most."""
LARGEST_DEGREE = 20
"""A node with more neighbours counts as one with so many."""
MEASURED = 2_000
"""Graphs from which the mean and the spread of numbers are taken."""
KEPT = 300_000_000
"""Bytes of distances that are kept; of more they are worked out again for every batch."""
DEGREE, TO, FROM = "degree (edges)", "degree (out)", "degree (in)"
MEASURES = (DEGREE, TO, FROM)
"""Features of nodes that no one gives: they are counted."""


class GraphRows(list[GraphRow]):
    """The rows of a part."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.array([len(row) for row in self], np.int64)


@dataclass(frozen=True)
class Scale:
    """Numbers by name, with their mean and spread in the training part."""

    names: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[Features]) -> "Scale":
        """Of what stands under each name."""
        found: dict[str, list[float]] = {}
        for row in rows:
            for name, value in row.items():
                if not isinstance(value, str):
                    found.setdefault(name, []).append(value)
        return cls.of_columns({name: np.array(found[name]) for name in sorted(found)})

    @classmethod
    def of_columns(cls, columns: Mapping[str, NDArray]) -> "Scale":
        """What never changes has a spread of 1."""
        spreads = (float(column.std()) for column in columns.values())
        means = tuple(float(column.mean()) for column in columns.values())
        return cls(tuple(columns), means, tuple(spread if spread > 1e-6 else 1.0 for spread in spreads))

    def table(self, rows: Sequence[Features]) -> NDArray[np.float32]:
        """(rows, names) in units of the spread; what a row lacks is the mean."""
        table = np.zeros((len(rows), len(self.names)), np.float32)
        for column, (name, mean, spread) in enumerate(zip(self.names, self.mean, self.spread, strict=True)):
            values = (row.get(name, mean) for row in rows)
            table[:, column] = [(v - mean) / spread if not isinstance(v, str) else 0.0 for v in values]
        return table


class SourceGraph(SourceCodec):
    in_windows: ClassVar[bool] = False

    def __init__(self, settings: graph_input.Settings, most: int, state: Mapping[str, Any] | None = None):
        """most: nodes that go through the model; of a larger graph nothing is worked out for the others."""
        self.settings, self.most = settings, most
        empty: dict[str, Any] = {
            "values": {},
            "types": [],
            "directed": False,
            "numbers": {},
            "measures": {},
            "walks": {},
        }
        self._use(**(state or empty))

    @classmethod
    def made(cls, data: DataSettings, settings: Any, state: Mapping[str, Any] | None = None) -> "SourceGraph":
        if data.over_long == "window":
            raise UsageError(
                "data.over_long window: a graph cannot be read in pieces, for its nodes have no order; set it to "
                "refuse or truncate, or raise data.max_length"
            )
        return cls(settings, data.max_length, state)

    def _use(
        self,
        values: Mapping[str, Sequence[str]],
        types: Sequence[str],
        directed: bool,
        numbers: Mapping[str, Any],
        measures: Mapping[str, Any],
        walks: Mapping[str, Any],
    ) -> None:
        self.values = {name: tuple(known) for name, known in values.items()}
        self.types, self.directed = tuple(types), directed
        self.numbers, self.measures, self.walks = (_scale(one) for one in (numbers, measures, walks))
        self._unknown: dict[str, int] = {}
        self._places: dict[tuple[str, str], int] = {}
        self._unknown_of = [PAD]
        for name, known in self.values.items():
            unknown = self._unknown[name] = len(self._unknown_of)
            self._places |= {(name, value): unknown + 1 + number for number, value in enumerate(known)}
            self._unknown_of += [unknown] * (1 + len(known))
        self._type = {name: number for number, name in enumerate(self.types, 1)}
        self.relations = Relations(max(1, len(self.types)), directed, self.settings.longest)

    # ---------------------------------------------------------------------------------------------------- what goes in

    @classmethod
    def recognizes(cls, example: Example) -> bool:
        """A graph, a column that its header calls SMILES, a .mol file, a node of a `graph.json` beside the file."""
        source = example.source
        return isinstance(source, Graph | Seed | Smiles) or (
            isinstance(source, str) and (names_block(source, example.where) or beside(example.where) is not None)
        )

    @classmethod
    def opened(cls, example: Example, data: DataSettings) -> Example:
        source = example.source
        if isinstance(source, Graph | Seed):
            return example
        if isinstance(source, Mapping):
            return replace(example, source=graph_of(source, example.where)[0])
        if not isinstance(source, str):
            raise DataError(example.where, "a graph is expected: an object with nodes and edges, or SMILES")
        if names_block(source, example.where):
            return replace(example, source=from_file(source, example.where))
        if (path := beside(example.where)) is not None:
            return replace(example, source=seed_of(source.strip(), path, example.where))
        return replace(example, source=from_smiles(source, example.where))

    def _cut(self, source: Graph | Seed) -> Graph:
        """The graph itself, or that around a node of a large one."""
        if isinstance(source, Graph):
            return source
        chosen = self.settings
        most = min(self.most, MOST)
        return source.graph.around(source.node, chosen.hops, chosen.neighbours, chosen.known_labels, most)

    def elements(self, source: Graph | Seed) -> tuple[str, ...]:
        return self._cut(source).words

    # --------------------------------------------------------------------------------------------------------- fitting

    def fit(self, sources: Sequence[Graph | Seed], together: Sequence[Any] = ()) -> None:
        """Features, types of edges, and the units of numbers; of many graphs the latter from some, evenly spaced."""
        some = [self._cut(source).first(self.most) for source in sources[:: max(1, len(sources) // MEASURED)]]
        whole = [source for source in sources if isinstance(source, Graph)] or some
        directed = any(graph.directed for graph in whole)
        counts: dict[str, Counter[str]] = {}
        for name, found in self._occurring(sources, whole, directed):
            counts.setdefault(name, Counter()).update(found)
        types = Counter(_type(features) for graph in whole for features in graph.features)
        if any(len(graph.pairs) and not graph.features for graph in whole):
            types[""] += 1
        self._use(
            values=_most_frequent(counts, VALUES),
            types=[name for name, _ in sorted(types.items(), key=lambda item: (-item[1], item[0]))][:TYPES],
            directed=directed,
            numbers=vars(Scale.of(node for graph in some for node in graph.nodes)),
            measures=vars(Scale.of(features for graph in some for features in graph.features)),
            walks=vars(self._scale_of_walks(some)),
        )

    def _occurring(
        self, sources: Sequence[Graph | Seed], whole: Sequence[Graph], directed: bool
    ) -> Iterator[tuple[str, Counter[str]]]:
        """(feature, how often each of its values stands there); of a large graph, in all of its nodes."""
        large = {id(source.graph): source.graph for source in sources if isinstance(source, Seed)}
        for graph in large.values():
            yield from graph.occurring(self.settings.known_labels).items()
            yield HOP, Counter(map(str, range(self.settings.hops + 1)))
        kinds = Counter(id(node) for graph in whole for node in graph.nodes) if not large else Counter[int]()
        alike = {id(node): node for graph in whole for node in graph.nodes} if kinds else {}
        for number, count in kinds.items():  # molecules share the features of atoms that are alike
            yield from ((name, Counter({v: count})) for name, v in alike[number].items() if isinstance(v, str))
        for graph in whole if self.settings.degree else ():
            for name, degrees in self._degrees(graph, directed).items():
                yield name, Counter(map(str, degrees.tolist()))

    def _scale_of_walks(self, graphs: Sequence[Graph]) -> Scale:
        if self.settings.position != "random_walk":
            return Scale()
        table = np.concatenate([self._walks(_adjacency(graph)) for graph in graphs])
        return Scale.of_columns({str(step): column for step, column in enumerate(table.T, 1)})

    # -------------------------------------------------------------------------------------------------------- encoding

    def encode_all(self, sources: Sequence[Graph | Seed]) -> list[GraphRow]:
        rows, room = [], KEPT
        for source in sources:
            graph = self._cut(source)
            row = self._row(graph.first(self.most))
            if self.settings.longest and (room := room - len(row) ** 2) > 0:
                row = replace(row, distance=row.distances(self.settings.longest))
            rows.append(row if len(row) == len(graph) else row.padded(len(graph)))  # what is behind is cut or refused
        return rows

    def _row(self, graph: Graph) -> GraphRow:
        degrees = self._degrees(graph, self.directed) if self.settings.degree else {}
        values = np.zeros((len(graph), len(self.values)), np.int32)
        for column, (name, unknown) in enumerate(self._unknown.items()):
            if name in degrees:
                values[:, column] = [self._places.get((name, str(one)), unknown) for one in degrees[name].tolist()]
                continue
            found = (node.get(name) for node in graph.nodes)
            values[:, column] = [
                self._places.get((name, value), unknown) if isinstance(value, str) else PAD for value in found
            ]
        numbers, places = self.numbers.table(graph.nodes), np.zeros((len(graph), 0), np.float32)
        if self.settings.position == "laplacian":
            found = laplacian_eigenvectors(torch.from_numpy(_adjacency(graph)), self.settings.steps)
            places = found.numpy() * np.float32(len(graph) ** 0.5)
        elif self.settings.position == "random_walk":
            mean, spread = np.array(self.walks.mean, np.float32), np.array(self.walks.spread, np.float32)
            walks = (self._walks(_adjacency(graph)) - mean) / spread
            numbers = np.concatenate([numbers, walks], 1)
        pairs, types, measures = self._edges(graph)
        return GraphRow(values, numbers, places, pairs, types, measures)

    def _walks(self, adjacency: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(N, steps)"""
        return random_walks(torch.from_numpy(adjacency), self.settings.steps).numpy()

    def _degrees(self, graph: Graph, directed: bool) -> dict[str, NDArray[np.int64]]:
        def counted(ends: NDArray[np.int32]) -> NDArray[np.int64]:
            return np.minimum(np.bincount(ends.ravel(), minlength=len(graph)), LARGEST_DEGREE)

        if directed:
            there, back = graph.pairs.T if graph.directed else (graph.pairs, graph.pairs)
            return {TO: counted(there), FROM: counted(back)}
        return {DEGREE: counted(graph.pairs)}

    def _edges(self, graph: Graph) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
        """Pairs, the types there and back, the numbers of edges: each pair of nodes once."""
        features = graph.features or (_PLAIN,) * len(graph.pairs)
        alike = {id(one): one for one in features}  # few edges of a graph differ in more than their ends
        numbers = {key: self._type_of(one) for key, one in alike.items()}
        there = np.array([numbers[id(one)] for one in features], np.int32)
        measures = self.measures.table(features)
        if not self.directed:
            return graph.pairs, np.stack([there, there], 1), measures
        back = np.zeros_like(there) if graph.directed else there
        measures = np.concatenate([measures, np.zeros_like(measures) if graph.directed else measures], 1)
        types = np.stack([there, back], 1)
        if not graph.directed:
            return graph.pairs, types, measures
        return _joined(graph.pairs, types, measures)

    def _type_of(self, edge: Features) -> int:
        """Its number; of an edge that is called something new besides its type, that of the type alone."""
        return self._type.get(_type(edge)) or self._type.get(str(edge.get(TYPE)), 1)

    # ----------------------------------------------------------------------------------------------------- the contract

    @property
    def sizes(self) -> GraphSizes:
        return GraphSizes(
            len(self._unknown_of),
            tuple(self._unknown_of),
            len(self.numbers.names) + len(self.walks.names),
            max(1, len(self.types)),
            self.directed,
            len(self.measures.names) * (2 if self.directed else 1),
        )

    @property
    def told(self) -> str:
        features = len([name for name in self.values if name not in (DEGREE, TO, FROM)])
        edges = f"types of edges: {max(1, len(self.types)):,}" + (", which lead one way" if self.directed else "")
        return f"features of nodes: {features + len(self.numbers.names):,}, values: {len(self._places):,}; {edges}"

    def lengths(self, sources: Sequence[Graph | Seed]) -> list[int]:
        return [len(self._cut(source)) for source in sources]

    def piece(self, row: GraphRow, start: int, stop: int) -> GraphRow:
        """The first nodes; a graph is not read in windows, so that every piece begins with the first."""
        return row if stop >= len(row) else row.first(stop)

    def rows(self, pieces: Sequence[GraphRow]) -> GraphRows:
        return GraphRows(pieces)

    def collate(self, rows: Sequence[GraphRow]) -> Part:
        return graph_input.collate(rows, self.relations)

    def state(self) -> dict[str, Any]:
        return {
            "values": self.values,
            "types": self.types,
            "directed": self.directed,
            "numbers": vars(self.numbers),
            "measures": vars(self.measures),
            "walks": vars(self.walks),
        }


def _scale(state: Mapping[str, Any]) -> Scale:
    return Scale(**{name: tuple(values) for name, values in state.items()})


_PLAIN: Features = {}
"""What is known of an edge of which nothing is known."""


def _adjacency(graph: Graph) -> NDArray[np.bool_]:
    return neighbours(graph.pairs, len(graph))


def _type(features: Features) -> str:
    """All that an edge is called, as one."""
    words = [(name, value) for name, value in features.items() if isinstance(value, str)]
    return ", ".join(value if name == TYPE else f"{name} {value}" for name, value in sorted(words))


def _most_frequent(counts: Mapping[str, Counter[str]], most: int) -> dict[str, list[str]]:
    """By feature the values that are known, the frequent ones first."""
    return {
        name: sorted(values, key=lambda value: (-values[value], value))[:most]
        for name, values in sorted(counts.items())
    }


def _joined(
    pairs: NDArray[np.int32], types: NDArray[np.int32], measures: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Edges that lead from i to j and from j to i as one pair."""
    turned = pairs[:, 0] > pairs[:, 1]
    low_first = np.where(turned[:, None], pairs[:, ::-1], pairs)
    types = np.where(turned[:, None], types[:, ::-1], types)
    measures = np.where(turned[:, None], np.roll(measures, measures.shape[1] // 2, 1), measures)
    N = int(pairs.max(initial=0)) + 1
    keys, place = np.unique(low_first[:, 0].astype(np.int64) * N + low_first[:, 1], return_inverse=True)
    once = np.stack(np.divmod(keys, N), 1).astype(np.int32)
    both = np.zeros((len(once), 2), np.int32)
    measured = np.zeros((len(once), measures.shape[1]), np.float32)
    np.add.at(both, place.ravel(), types)
    np.add.at(measured, place.ravel(), measures)
    return once, both, measured
