"""Records become parts that share nothing: duplicates go, and what a test would already know from training."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from headway.data.corpora._contract import Corpus, LeftOut, Record, Shares, chance


@dataclass
class Split:
    """The parts of a corpus, and what was left out on the way.

    parts            name -> records, in the order they are written
    duplicates       records left out since the same source and target occurred in the same part before
    contradictions   texts that carry two labels; left out, or kept in an official split
    unusable         what the package holds and no example could be made of -> part -> how many
    known            part -> records whose source occurs in a part before it; left out, or kept in an official split
    """

    parts: dict[str, list[Record]]
    duplicates: int = 0
    contradictions: int = 0
    unusable: dict[str, Counter[str]] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)


def split(corpus: Corpus, records: Iterable[Record | LeftOut]) -> Split:
    """Deal the records out to the parts, by group. The result depends on nothing but the records."""
    made = Split({part: [] for part in Shares._fields})
    for record in records:
        part = corpus.part(record.group)
        if isinstance(record, LeftOut):
            made.unusable.setdefault(record.what, Counter())[part] += 1
        else:
            made.parts.setdefault(part, []).append(record)
    if corpus.question == "classify":
        _drop_contradictions(made, keep=corpus.official)
    if not corpus.official:
        for part, rows in made.parts.items():
            unique = list({(row.source, row.target): row for row in reversed(rows)}.values())[::-1]
            made.duplicates += len(rows) - len(unique)
            # the order of a hash is a shuffle that is the same everywhere; what belongs to one group stays together
            made.parts[part] = sorted(unique, key=lambda record: chance(record.group))
    _drop_known(made, keep=corpus.official)
    return made


def _drop_contradictions(made: Split, keep: bool) -> None:
    labels: defaultdict[str | tuple[str, ...], set[str | tuple[str, ...]]] = defaultdict(set)
    for rows in made.parts.values():
        for record in rows:
            labels[record.source].add(record.target)
    made.contradictions = sum(len(several) > 1 for several in labels.values())
    for part, rows in made.parts.items():
        made.parts[part] = [record for record in rows if keep or len(labels[record.source]) == 1]


def _drop_known(made: Split, keep: bool) -> None:
    """Leave out of each part what occurs in one before it; an official split stays as it is, and is only counted."""
    before: set[str | tuple[str, ...]] = set()
    for part, rows in made.parts.items():
        fresh = [record for record in rows if record.source not in before]
        if len(fresh) < len(rows):
            made.known[part] = len(rows) - len(fresh)
        if not keep:
            made.parts[part] = fresh
        before.update(record.source for record in rows)
