"""One large graph, of whose nodes the labels are asked: each node is answered for from the neighbourhood around it.

The graph is the file `graph.json` beside train.tsv, valid.tsv and test.tsv, which name nodes and their labels. Which
neighbours are taken, where a node has many, is drawn by a hash of both names, so it is the same in every run and on
every machine.
"""

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.batch import Value
from headway.data.sources._graphs import Features, Graph, edge_of, is_directed, node_of, parts_of
from headway.errors import DataError, Where, nearest, printable

FILE, TRAINING = "graph.json", "train.tsv"
LARGEST = 400_000_000
"""Bytes that the file may have; in memory it takes about ten times as many."""
MOST = 2_000
"""Nodes that a neighbourhood may have."""
HOP, LABEL = "hop (around)", "label (known)"
"""Features that every node of a neighbourhood has: how far it is from the node that is asked for, and its label, where
it is a node of the training part. The node that is asked for has no label, and no word that only it has."""


class LargeGraph:
    """All nodes and edges of the file, and the labels of the training part."""

    def __init__(self, path: Path):
        self.path = path
        where, found = Where(path), _read(path)
        nodes, edges, ids = parts_of(found, where)
        self.directed = is_directed(found, where)
        self.ids = ids or tuple(map(str, range(len(nodes))))
        self.places = {name: place for place, name in enumerate(self.ids)}
        self.nodes = [node_of(node, number, where) for number, node in enumerate(nodes)]
        ends, kind, self.kinds = _ends(edges, len(nodes), self.directed, where)
        order = _drawn(ends, self.ids)
        self.there = _Lists(ends[order], kind[order], len(nodes))
        self.back = _Lists(ends[order][:, ::-1], kind[order], len(nodes))

    @cached_property
    def labels(self) -> dict[int, str]:
        """By number the labels that the training part gives."""
        path = self.path.with_name(TRAINING)
        if not path.is_file():
            return {}
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        rows = (line.split("\t") for line in lines)
        return {self.places[row[0]]: row[1].strip() for row in rows if len(row) == 2 and row[0] in self.places}

    @cached_property
    def content(self) -> str:
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]

    def occurring(self, labels: bool) -> dict[str, Counter[str]]:
        """By feature about how often each value stands in a neighbourhood: once for a node and each of its edges."""
        found: dict[str, Counter[str]] = {}
        for node, count in zip(self.nodes, (1 + self.there.counts + self.back.counts).tolist(), strict=True):
            for name, value in node.items():
                if isinstance(value, str):
                    found.setdefault(name, Counter())[value] += count
        if labels and self.labels:
            found[LABEL] = Counter(self.labels.values())
        return found

    @cached_property
    def _shared(self) -> Counter[tuple[str, str | float]]:
        """How many nodes have each value."""
        return Counter(item for node in self.nodes for item in node.items())

    def _identifies(self, name: str, value: str | float) -> bool:
        """Whether a node is the only one of its name: learning it by heart says nothing of others."""
        return isinstance(value, str) and self._shared[name, value] == 1

    def around(self, node: int, hops: int, neighbours: int, labels: bool, most: int = MOST) -> Graph:
        """The nodes that few edges lead to, the asked one first and the near ones before the far; edges among them."""
        hop, newest = {node: 0}, [node]
        for distance in range(1, hops + 1):
            found: dict[int, int] = {}
            for one in newest:
                for lists in (self.there, self.back):
                    found |= {other: distance for other in lists.of(one, neighbours) if other not in hop}
                if len(hop) + len(found) >= most:
                    break
            newest = list(found)[: most - len(hop)]
            hop |= dict.fromkeys(newest, distance)
        place = {node: number for number, node in enumerate(hop)}
        pairs, kinds = [], []
        for one, number in place.items():
            for other, kind in self.there.edges(one):
                if (there := place.get(other)) is not None:
                    pairs.append((number, there))
                    kinds.append(self.kinds[kind])
        return Graph.checked(
            tuple(self._features(node, distance, labels) for node, distance in hop.items()),
            np.array(pairs, np.int32).reshape(-1, 2),
            tuple(kinds) if any(self.kinds) else (),
            self.directed,
            name=self.ids[node],
            ids=tuple(self.ids[node] for node in hop),
        )

    def _features(self, node: int, distance: int, labels: bool) -> Features:
        known = self.nodes[node]
        if not distance:
            known = {name: value for name, value in known.items() if not self._identifies(name, value)}
        own: Features = {**known, HOP: str(distance)}
        if labels and distance and node in self.labels:
            own = {**own, LABEL: self.labels[node]}
        return own


class Seed(Value):
    """A node of a large graph. It is one element for those who count; its neighbourhood is cut when it is encoded."""

    def __init__(self, graph: LargeGraph, node: int):
        self.graph, self.node = graph, node

    def __len__(self) -> int:
        return 1

    def content(self) -> str:
        return hashlib.blake2b(f"{self.graph.content}\0{self}".encode(), digest_size=16).hexdigest()

    def __str__(self) -> str:
        return self.graph.ids[self.node]


def beside(where: Where) -> Path | None:
    """The large graph beside the file that an example is from."""
    path = Path(where.file).with_name(FILE) if where.line else None
    return path if path is not None and path.is_file() else None


def seed_of(name: str, path: Path, where: Where) -> Seed:
    """The node of that name. Raises DataError."""
    state = path.stat()
    graph = _opened(path, state.st_mtime_ns, state.st_size)
    place = graph.places.get(name)
    if place is None:
        meant = nearest(name, graph.ids[:10_000])
        hint = f"; did you mean {printable(meant)!r}?" if meant else ""
        raise DataError(
            where, f"no node of {path.name} has the id {printable(name)!r}; there are {len(graph.ids):,}{hint}"
        )
    return Seed(graph, place)


@lru_cache(maxsize=2)
def _opened(path: Path, changed: int, size: int) -> LargeGraph:
    """The graph of a file, read once for as long as the file is the same."""
    return LargeGraph(path)


def _read(path: Path) -> Any:
    size = path.stat().st_size
    if size > LARGEST:
        raise DataError(
            Where(path),
            f"the file has {size:,} bytes, and {LARGEST:,} are read at most, for a graph lies in main memory as a "
            "whole: leave out features or edges, or cut it into parts that have few edges between them",
        )
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(Where(path), f"byte {error.start + 1} is not UTF-8") from None
    except RecursionError:
        raise DataError(Where(path), "the JSON is nested too deep") from None
    except ValueError as error:
        line = getattr(error, "lineno", 0)
        raise DataError(Where(path, line), f"this is no JSON: {getattr(error, 'msg', error)}") from None
    if not isinstance(found, dict):
        raise DataError(Where(path), "an object with 'nodes' and 'edges' (or 'links') is expected")
    return found


def _ends(
    edges: list[Any], nodes: int, directed: bool, where: Where
) -> tuple[NDArray[np.int64], NDArray[np.int32], list[Features]]:
    """(E, 2) the ends of edges by number, (E) the kind of each, the kinds; an edge given twice is one."""
    found: dict[tuple[int, int], int] = {}
    kinds: dict[str, int] = {}
    known: list[Features] = []
    for number, edge in enumerate(edges):
        i, j, features = edge_of(edge, number, nodes, where)
        kind = kinds.setdefault(json.dumps(sorted(features.items())), len(known))
        if kind == len(known):
            known.append(features)
        pair = (i, j) if directed or i < j else (j, i)
        if i != j and found.setdefault(pair, kind) != kind:
            raise DataError(where, f"edge {number} joins the nodes {i} and {j} a second time, with other features")
    return np.array(list(found), np.int64).reshape(-1, 2), np.array(list(found.values()), np.int32), known


def _drawn(ends: NDArray[np.int64], ids: tuple[str, ...]) -> NDArray[np.int64]:
    """The edges in an order drawn by the names of both ends."""
    names = np.array([zlib.crc32(name.encode(errors="surrogatepass")) for name in ids], np.uint64)
    mixed = (names[ends[:, 0]] + names[ends[:, 1]] * np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xBF58476D1CE4E5B9)
    return np.argsort(mixed ^ (mixed >> np.uint64(29)), kind="stable")


class _Lists:
    """Of every node the ends of its edges, in the order in which the edges come."""

    def __init__(self, ends: NDArray[np.int64], kinds: NDArray[np.int32], nodes: int):
        order = np.argsort(ends[:, 0], kind="stable")
        self.counts = np.bincount(ends[:, 0], minlength=nodes)
        self.starts = np.concatenate([[0], np.cumsum(self.counts)])
        self.ends, self.kinds = ends[order, 1], kinds[order]

    def of(self, node: int, most: int) -> list[int]:
        """So many of a node's ends."""
        start, stop = self.starts[node], self.starts[node + 1]
        return self.ends[start : min(stop, start + most)].tolist()

    def edges(self, node: int) -> Iterator[tuple[int, int]]:
        """(end, kind) of all of a node's edges."""
        start, stop = self.starts[node], self.starts[node + 1]
        return zip(self.ends[start:stop].tolist(), self.kinds[start:stop].tolist(), strict=True)
