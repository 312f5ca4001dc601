"""How long rows are, and how many are longer than the model will read."""

from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Seen, Setup, Table, counted
from headway.data.checks._spread import Spread, figures
from headway.data.parts import PARTS

MANY = 0.05
"""The share of rows that are cut above which that is a warning."""
HOW = {
    "refuse": ("error", "training stops there"),
    "truncate": ("note", "only their beginning is read"),
    "window": ("note", "they are read in windows"),
}


class Lengths(Check):
    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.spreads: dict[tuple[str, str], Spread] = {}
        self.long = Seen()

    def see(self, row: Row) -> None:
        read, written = row.length, len(row.written)
        self._spread("source", row.part).add(read)
        if written:
            self._spread("target", row.part).add(written)
        if max(read, written) > self.setup.max_length:
            self.long.add(row, counted(max(read, written), "element"))

    def _spread(self, side: str, part: str) -> Spread:
        return self.spreads.setdefault((side, part), Spread())

    def tables(self) -> Iterator[Table]:
        rows = []
        for side in ("source", "target"):
            of_side = {part: self.spreads[side, part] for part in PARTS if (side, part) in self.spreads}
            low = min((spread.quantile(0.0) for spread in of_side.values()), default=0)
            high = max((spread.quantile(0.98) for spread in of_side.values()), default=0)
            rows += [(f"{part} {side}", *figures(spread, low, high)) for part, spread in of_side.items()]
        yield Table("lengths, in elements", ("", "least", "median", "p95", "most", "how many of each"), tuple(rows))

    def findings(self) -> Iterator[Finding]:
        if not self.long.count:
            yield self.found("ok", f"no row has more than {self.setup.max_length:,} elements")
            return
        severity, what = HOW[self.setup.over_long]
        rows = sum(len(spread) for (side, _), spread in self.spreads.items() if side == "source")
        if severity == "note" and self.setup.over_long == "truncate" and self.long.count > MANY * rows:
            severity = "warning"
        yield self.found(
            severity,  # type: ignore[arg-type]
            f"{counted(self.long.count, 'row')} {'has' if self.long.count == 1 else 'have'} more than "
            f"{self.setup.max_length:,} elements: {what}",
            self.long,
            "raise data.max_length, or set data.over_long"
            + (" truncate or window" if self.setup.over_long == "refuse" else " window" if self._joins else ""),
        )

    @property
    def _joins(self) -> bool:
        """Whether the answers of windows can be put together."""
        return self.setup.task != "transduce" and self.setup.over_long != "window"
