"""Which labels there are, how often, and whether training ever sees those that are asked for."""

from collections import Counter
from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Seen, Setup, Table, counted
from headway.data.codecs import label_set
from headway.data.loading import UNSEEN
from headway.data.parts import PARTS
from headway.errors import printable

SHOWN = 20
"""Labels that the table shows."""
RARE = 5
"""Rows of training below which a label is hardly learned."""
ALL_BUT = 0.95
"""The share of one label above which accuracy says little."""


class LabelTable(Check):
    tasks = ("tag", "classify")

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.counts: dict[str, Counter[str]] = {part: Counter() for part in PARTS}
        self.unseen: dict[str, Seen] = {}

    def see(self, row: Row) -> None:
        labels = label_set(row.example.target)
        self.counts[row.part].update(labels)
        if row.part != "train":
            known = self.counts["train"]
            for label in labels:
                if label not in known:
                    self.unseen.setdefault(label, Seen()).add(row)

    def tables(self) -> Iterator[Table]:
        parts = [part for part in PARTS if self.counts[part]]
        totals = {part: self.counts[part].total() for part in parts}
        names = sorted(set().union(*self.counts.values()), key=lambda name: (-self.counts["train"][name], name))
        rows = [
            (printable(name), *(f"{self.counts[part][name] / totals[part]:.2%}" for part in parts))
            for name in names[:SHOWN]
        ]
        if len(names) > SHOWN:
            shares = (sum(self.counts[part][name] for name in names[SHOWN:]) / totals[part] for part in parts)
            rows.append((f"{len(names) - SHOWN:,} more", *(f"{share:.2%}" for share in shares)))
        yield Table(f"{counted(len(names), 'label')}, share of each part", ("label", *parts), tuple(rows))

    def findings(self) -> Iterator[Finding]:
        train = self.counts["train"]
        yield from self._unseen()
        if len(train) == 1 and not self.setup.several:
            yield self.found("error", f"there is one label only, {printable(next(iter(train)))!r}: nothing to learn")
        elif train and (share := max(train.values()) / train.total()) > ALL_BUT:
            yield self.found(
                "warning",
                f"{share:.1%} of the labels are {printable(train.most_common(1)[0][0])!r}: whoever always answers that "
                "has this accuracy",
                advice="look at model.task.metrics macro_f1",
            )
        rare = [name for name, count in train.items() if count < RARE]
        if rare:
            shown = ", ".join(map(printable, sorted(rare)[:8]))
            yield self.found(
                "note", f"{counted(len(rare), 'label')} with fewer than {RARE} training rows or words: {shown}"
            )
        yield from self._misspelled()

    def _unseen(self) -> Iterator[Finding]:
        if not self.unseen:
            yield self.found("ok", "training sees every label of the other parts")
            return
        total = sum(self.counts[part].total() for part in PARTS if part != "train")
        seen = Seen(sum(one.count for one in self.unseen.values()))
        for label, one in self.unseen.items():
            seen.places += [place._replace(shown=printable(label)) for place in one.places[:1]]
        of_part = Counter[str]()
        for one in self.unseen.values():
            of_part.update(one.by_part)
        names = ", ".join(map(printable, list(self.unseen)[:8]))
        many = any(count > max(1, UNSEEN * self.counts[part].total()) for part, count in of_part.items())
        yield self.found(
            "error" if many else "warning",
            f"{counted(len(self.unseen), 'label')} of valid or test that training never sees ({names}): "
            f"{seen.count:,} of {total:,} cannot be answered right",
            Seen(seen.count, seen.places[:5]),
            "is it the right file? a slip of the pen? else move rows with it into the training part",
        )

    def _misspelled(self) -> Iterator[Finding]:
        """Labels that differ in case or blanks only."""
        same: dict[str, list[str]] = {}
        for name in set().union(*self.counts.values()):
            same.setdefault(" ".join(name.casefold().split()), []).append(name)
        for names in (sorted(names) for names in same.values() if len(names) > 1):
            yield self.found(
                "warning",
                f"the labels {' and '.join(repr(printable(name)) for name in names)} differ only in case or blanks",
                advice="write them alike if they are one",
            )
