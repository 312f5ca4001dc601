"""Rows of valid or test whose source is in the training part as well: figures of them say nothing."""

from collections.abc import Iterator

import numpy as np

from headway.data.checks import SHOWN, Check, Finding, Place, Seen
from headway.data.checks._prints import again

MANY = 0.01
"""The share of a part above which its figures are not to be trusted."""
PAIRS = (("valid", ("train",)), ("test", ("train",)), ("test", ("valid",)))


class Leakage(Check):
    fast = True

    def findings(self) -> Iterator[Finding]:
        prints, none = self.setup.prints, True
        one_way = " (molecules all as canonical SMILES)" if self.setup.kind == "graph" else ""
        for part, others in PAIRS:
            rows, among = prints.part(part), np.concatenate([prints.part(other) for other in others])
            near = list(again(prints.alike, rows, among))
            if not near:
                continue
            none = False
            exact = list(again(prints.sources, rows, among))
            places = [Place(prints.where(twin.row), "", prints.where(twin.like)) for twin in (exact or near)[:SHOWN]]
            more = f"; {len(near) - len(exact):,} more differ only in case or blanks" if len(near) > len(exact) else ""
            yield self.found(
                "warning" if len(near) > MANY * len(rows) else "note",
                f"{len(exact):,} of {len(rows):,} sources of the {part} part ({len(exact) / len(rows):.1%}) are in the "
                f"{others[0]} part, too{more}",
                Seen(len(near), places),
                f"figures of them say what was remembered: take them out of one part, or give one file{one_way}, which "
                "is split so that equal sources stay together",
            )
        if none:
            yield self.found("ok", "no source of one part is in another")
