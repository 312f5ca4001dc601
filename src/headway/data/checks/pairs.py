"""Pairs whose target is far longer or shorter than others are for such a source, and targets that are their source."""

import heapq
import math
from collections import Counter
from collections.abc import Iterator

from headway.batch import Value
from headway.data.checks import SHOWN, Check, Finding, Place, Row, Seen, Setup, Table

FAR, LEAST = 5.0, 1.5
"""How many (robust) standard deviations of the log ratio are far; at least a factor of e^1.5 = 4.5."""
STEP = 100
"""Steps of the log ratio from 1 to e that are told apart."""
SHORT = 10
"""Characters up to which a source may have a target of any length."""


class Pairs(Check):
    tasks = ("transduce",)
    fast = True

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.ratios: Counter[int] = Counter()
        self.extremes: dict[int, list[tuple[float, int, Place]]] = {1: [], -1: []}
        self.copies = Seen()
        self.rows = 0

    def see(self, row: Row) -> None:
        self.rows += 1
        source = row.example.source
        if row.source and row.source == row.target:
            self.copies.add(row, row.source[:40])
        size = len(source) if isinstance(source, Value) else len(row.source)
        if not size or not row.target or max(size, len(row.target)) <= SHORT:
            return
        ratio = math.log(len(row.target) / size)
        self.ratios[round(ratio * STEP)] += 1
        for sign, heap in self.extremes.items():
            if len(heap) < SHOWN or sign * ratio > heap[0][0]:
                kept = (sign * ratio, -self.rows, Place(row.where, f"{size:,} to {len(row.target):,}"))
                heapq.heappush(heap, kept) if len(heap) < SHOWN else heapq.heappushpop(heap, kept)

    def tables(self) -> Iterator[Table]:
        if self.ratios:
            shares = (0.01, 0.5, 0.99)
            cells = tuple(f"{math.exp(self._quantile(share)):.2f}" for share in shares)
            yield Table("length of the target to that of the source", ("p1", "median", "p99"), (cells,))

    def _quantile(self, share: float) -> float:
        below, wanted = 0, share * self.ratios.total()
        for step in sorted(self.ratios):
            below += self.ratios[step]
            if below >= wanted:
                return step / STEP
        return 0.0

    def findings(self) -> Iterator[Finding]:
        yield from self._outliers()
        share = self.copies.count / max(1, self.rows)
        if 0.01 < share < 0.5:
            yield self.found(
                "warning",
                f"{self.copies.count:,} of {self.rows:,} targets ({share:.1%}) are their source, letter by letter",
                self.copies,
                "were they never translated? leave them out",
            )

    def _outliers(self) -> Iterator[Finding]:
        middle = self._quantile(0.5)
        spread = (self._quantile(0.84) - self._quantile(0.16)) / 2  # one standard deviation, were they normal
        far = max(FAR * spread, LEAST)
        count = sum(number for step, number in self.ratios.items() if abs(step / STEP - middle) > far)
        if not count:
            yield self.found("ok", "no pair has an unusual ratio of lengths")
            return
        worst = sorted((kept for heap in self.extremes.values() for kept in heap), reverse=True)
        ordered = sorted(worst, key=lambda kept: -abs(self._log(kept[2]) - middle))
        places = [kept[2] for kept in ordered if abs(self._log(kept[2]) - middle) > far]
        yield self.found(
            "warning" if count > 0.01 * self.rows else "note",
            f"{count:,} of {self.rows:,} pairs have a target that is {math.exp(far):.1f} times longer or shorter than "
            "usual",
            Seen(count, list(dict.fromkeys(places))[:SHOWN]),
            "do these lines belong together? where many follow each other, a line is missing on one side",
        )

    @staticmethod
    def _log(place: Place) -> float:
        size, length = (int(number.replace(",", "")) for number in place.shown.split(" to "))
        return math.log(length / size)
