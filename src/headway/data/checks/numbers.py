"""How the numbers to be answered are spread, and whether valid and test stay within what training shows."""

import math
from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Seen, Setup, Table, counted
from headway.data.parts import PARTS

FAR = 8.0
"""Standard deviations from the mean that look like a slip of the pen."""


class NumbersSpread(Check):
    tasks = ("regress",)

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.moments = {part: _Moments() for part in PARTS}
        self.far, self.outside = Seen(), Seen()

    def see(self, row: Row) -> None:
        value, train = row.example.target, self.moments["train"]
        if row.part != "train" and train.count and not train.least <= value <= train.most:
            self.outside.add(row, f"{value:g}")
        if train.count > 100 and train.spread and abs(value - train.mean) > FAR * train.spread:
            self.far.add(row, f"{value:g}")
        self.moments[row.part].add(value)

    def tables(self) -> Iterator[Table]:
        rows = [
            (part, *(f"{number:.6g}" for number in (of.least, of.mean, of.most, of.spread)))
            for part, of in self.moments.items()
            if of.count
        ]
        yield Table("numbers", ("part", "least", "mean", "most", "standard deviation"), tuple(rows))

    def findings(self) -> Iterator[Finding]:
        train = self.moments["train"]
        if train.count > 1 and not train.spread:
            yield self.found("error", f"the target is always {train.mean:g}: there is nothing to learn")
        if self.far.count:
            yield self.found(
                "warning",
                f"{counted(self.far.count, 'number')} more than {FAR:g} standard deviations from the mean of those "
                "before: one of them weighs as much as thousands of others",
                self.far,
                "a slip of the pen, another unit? else learn its logarithm",
            )
        if self.outside.count:
            yield self.found(
                "note",
                f"{counted(self.outside.count, 'number')} of valid or test outside of what training shows "
                f"({train.least:g} to {train.most:g})",
                self.outside,
            )


class _Moments:
    """Mean and spread of numbers as they come (Welford 1962)."""

    def __init__(self) -> None:
        self.count, self.mean, self._squares = 0, 0.0, 0.0
        self.least, self.most = math.inf, -math.inf

    def add(self, value: float) -> None:
        self.count += 1
        off = value - self.mean
        self.mean += off / self.count
        self._squares += off * (value - self.mean)
        self.least, self.most = min(self.least, value), max(self.most, value)

    @property
    def spread(self) -> float:
        return math.sqrt(self._squares / self.count) if self.count else 0.0
