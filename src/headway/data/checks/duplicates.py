"""Rows that stand in a part more than once."""

from collections.abc import Iterator

from headway.data.checks import SHOWN, Check, Finding, Place, Seen
from headway.data.checks._prints import repeated
from headway.data.parts import PARTS

MANY = 0.05
"""The share of a part above which repetition is a warning."""


class Duplicates(Check):
    def findings(self) -> Iterator[Finding]:
        prints, none = self.setup.prints, True
        for part in PARTS:
            rows = prints.part(part)
            whole = prints.sources * 31 ^ prints.targets
            exact = list(repeated(whole, rows))
            near = list(repeated(prints.alike * 31 ^ prints.targets, rows))
            if not near:
                continue
            none = False
            places = [Place(prints.where(twin.row), "", prints.where(twin.like)) for twin in (exact or near)[:SHOWN]]
            more = f"; {len(near) - len(exact):,} more differ only in case or blanks" if len(near) > len(exact) else ""
            yield self.found(
                "warning" if len(near) > MANY * len(rows) else "note",
                f"{len(exact):,} of {len(rows):,} rows of the {part} part are repetitions of an earlier one{more}",
                Seen(len(near), places),
                "leave them out, unless they are as frequent where the model will be used",
            )
        if none:
            yield self.found("ok", "no row stands in a part twice")
