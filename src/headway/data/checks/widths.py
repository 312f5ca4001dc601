"""Whether all vectors have as many numbers, and which are zero everywhere."""

from collections import Counter
from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Seen, Setup, counted
from headway.data.sources.vectors import Vectors


class Widths(Check):
    kinds = ("vectors",)

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.widths: Counter[int] = Counter()
        self.other, self.zero = Seen(), Seen()

    def see(self, row: Row) -> None:
        vectors = row.example.source
        if not isinstance(vectors, Vectors):
            return
        width = vectors.array.shape[1]
        self.widths[width] += 1
        if width != next(iter(self.widths)):
            self.other.add(row, counted(width, "number"))
        if not vectors.array.any():
            self.zero.add(row, str(vectors))

    def findings(self) -> Iterator[Finding]:
        if self.other.count:
            first = next(iter(self.widths))
            what = f"{counted(self.other.count, 'row')} whose vectors have another width than the first, {first:,}"
            yield self.found("error", what, self.other, "make all of them by one program")
        else:
            yield self.found("ok", "all vectors have the same width")
        if self.zero.count:
            yield self.found("warning", f"{counted(self.zero.count, 'row')} of zeros only", self.zero)
