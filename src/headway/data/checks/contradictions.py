"""Rows of one source with different targets."""

from collections.abc import Iterator

from headway.data.checks import SHOWN, Check, Finding, Place, Seen
from headway.data.checks._prints import repeated
from headway.data.parts import PARTS

MANY = 0.01
"""The share of a part above which it is a warning."""


class Contradictions(Check):
    tasks = ("tag", "classify", "regress")
    fast = True

    def findings(self) -> Iterator[Finding]:
        prints, none = self.setup.prints, True
        for part in PARTS:
            rows, targets = prints.part(part), prints.targets
            bad = [twin for twin in repeated(prints.sources, rows) if targets[twin.row] != targets[twin.like]]
            if not bad:
                continue
            none = False
            places = [Place(prints.where(twin.row), "", prints.where(twin.like)) for twin in bad[:SHOWN]]
            yield self.found(
                "warning" if len(bad) > MANY * len(rows) else "note",
                f"{len(bad):,} of {len(rows):,} rows of the {part} part contradict an earlier one: the same source, "
                "another target",
                Seen(len(bad), places),
                "no model can have both right: leave out the wrong ones",
            )
        if none:
            yield self.found("ok", "no source has two targets")
