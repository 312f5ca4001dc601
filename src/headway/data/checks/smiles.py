"""Sources that look like SMILES and are read as text: no header calls them so."""

import re
from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Seen, Setup

MOST, HALF = 0.95, 0.5
"""The shares of sources that must be written in the letters of SMILES, and with a ring, a branch or a bond in them."""
LEAST = 10
"""Rows below which chance could write them."""
_ATOM = r"\[[A-Za-z0-9@+\-:*]{1,20}\]|Br|Cl|[BCNOPSFIbcnops]"
_SMILES = re.compile(rf"(?:(?:{_ATOM})(?:[-=#$:/\\~.]|%\d\d|\d|[()])*)+")
_SIGN = re.compile(r"[()=#\[\d]")


class SmilesAsText(Check):
    kinds = ("text",)
    fast = True

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.rows = self.signs = 0
        self.like = Seen()

    def see(self, row: Row) -> None:
        if row.part != "train":
            return
        self.rows += 1
        first = row.source[:300].strip().partition(" ")[0]
        if _SMILES.fullmatch(first):
            self.like.add(row, first)
            self.signs += _SIGN.search(first) is not None

    def findings(self) -> Iterator[Finding]:
        if self.rows >= LEAST and self.like.count >= MOST * self.rows and self.signs >= HALF * self.rows:
            yield self.found(
                "warning",
                f"{self.like.count:,} of {self.rows:,} sources of the train part look like SMILES and are read as "
                "text, and not, by --model.input graph, as molecules",
                self.like,
                "set --model.input graph, or call their column smiles",
            )
