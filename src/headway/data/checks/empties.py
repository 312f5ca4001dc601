"""Rows in which there is nothing to read: no letter, no digit, or nothing at all once it is cut."""

import re
from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Seen, Setup, counted
from headway.errors import printable

_SAYS = re.compile(r"[^\W_]")


class Empties(Check):
    kinds = ("text",)

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.nothing, self.marks = Seen(), Seen()

    def see(self, row: Row) -> None:
        if not row.length:
            self.nothing.add(row, printable(row.source, 40))
        elif not _SAYS.search(row.source) or (row.target and not _SAYS.search(row.target)):
            self.marks.add(row, printable(row.source if not _SAYS.search(row.source) else row.target, 40))

    def findings(self) -> Iterator[Finding]:
        if self.nothing.count:
            yield self.found("warning", f"{counted(self.nothing.count, 'source')} without any element", self.nothing)
        if self.marks.count:
            what = f"{counted(self.marks.count, 'row')} with a side of punctuation or symbols only"
            yield self.found("note", what, self.marks)
        if not self.nothing.count and not self.marks.count:
            yield self.found("ok", "every row has letters or digits")
