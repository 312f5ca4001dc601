"""How many edges graphs have, which are without any, and which words of nodes training never sees."""

from collections import Counter
from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Seen, Setup, Table, counted
from headway.data.checks._spread import Spread, figures
from headway.data.parts import PARTS
from headway.data.sources._graphs import Graph
from headway.errors import printable


class Graphs(Check):
    kinds = ("graph",)

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.edges = {part: Spread() for part in PARTS}
        self.known: set[tuple[str, str]] = set()
        self.loose, self.unknown = Seen(), Seen()
        self.words: Counter[str] = Counter()

    def see(self, row: Row) -> None:
        graph = row.example.source
        if not isinstance(graph, Graph):
            return
        self.edges[row.part].add(len(graph.pairs))
        if len(graph) > 1 and not len(graph.pairs):
            self.loose.add(row, str(graph))
        words = {(name, value) for node in graph.nodes for name, value in node.items() if isinstance(value, str)}
        if row.part == "train":
            self.known |= words
        elif new := words - self.known:
            self.unknown.add(row, printable(", ".join(sorted(value for _, value in new)[:5])), len(new))

    def tables(self) -> Iterator[Table]:
        filled = {part: spread for part, spread in self.edges.items() if len(spread)}
        high = max((spread.quantile(0.98) for spread in filled.values()), default=0)
        rows = tuple((part, *figures(spread, 0, high)) for part, spread in filled.items())
        yield Table("edges of a graph", ("part", "least", "median", "p95", "most", "how many of each"), rows)

    def findings(self) -> Iterator[Finding]:
        if self.loose.count:
            yield self.found(
                "note", f"{counted(self.loose.count, 'graph')} of several nodes without an edge", self.loose
            )
        if self.unknown.count:
            what = f"{counted(self.unknown.count, 'word')} of nodes in valid or test that training never sees"
            yield self.found("note", what, self.unknown)
        else:
            yield self.found("ok", "training sees every word of a node")
