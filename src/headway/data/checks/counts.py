"""How many rows and elements each part has, and whether a part is missing or small."""

from collections import Counter
from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Setup, Table, counted
from headway.data.parts import PARTS

FEW = {"train": 100, "valid": 50, "test": 50}
"""Rows below which a part says little."""


class Counts(Check):
    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.rows: Counter[str] = Counter()
        self.elements: Counter[str] = Counter()
        self.written: Counter[str] = Counter()

    def see(self, row: Row) -> None:
        self.rows[row.part] += 1
        self.elements[row.part] += row.length
        self.written[row.part] += len(row.written)

    def tables(self) -> Iterator[Table]:
        new = any(self.written.values())
        rows = tuple(
            (part, self.rows[part], self.elements[part], *([self.written[part]] if new else []))
            for part in PARTS
            if self.rows[part]
        )
        yield Table("rows", ("part", "rows", "elements", *(["to be written"] if new else [])), rows)

    def findings(self) -> Iterator[Finding]:
        for part in PARTS:
            if not self.rows[part] and part != "train":
                use = "no checkpoint can be chosen by it" if part == "valid" else "no final figure is measured"
                yield self.found("note", f"there is no {part} part: {use}", advice=f"give one: --data.{part} FILE")
            elif self.rows[part] < FEW[part]:
                what = "little to learn from" if part == "train" else "its figures are coarse"
                yield self.found("note", f"the {part} part has {counted(self.rows[part], 'row')}: {what}")
