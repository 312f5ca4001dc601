"""How much of valid and test is no part of the vocabulary that training gives."""

from collections import Counter
from collections.abc import Iterator, Sequence

from headway.data.checks import Check, Finding, Row, Seen, Setup, Table
from headway.data.parts import PARTS
from headway.data.tokenizers import Tokenizer, most_frequent
from headway.data.tokenizers.character import Character
from headway.data.tokenizers.word import Word
from headway.errors import printable

MOST = 5_000_000
"""Different elements of training that are counted; beyond that those seen once are forgotten."""
MUCH = {Word: 0.15, Character: 0.005}
"""The share of unknown elements above which answers will suffer."""


class Unknown(Check):
    kinds = ("text",)

    def __init__(self, setup: Setup):
        super().__init__(setup)
        sides = {"source": setup.source, "target": setup.target}
        self.sides = {name: _Side(one) for name, one in sides.items() if isinstance(one, Word | Character)}

    def see(self, row: Row) -> None:
        for name, side in self.sides.items():
            side.see(row, row.elements if name == "source" else row.written)

    def tables(self) -> Iterator[Table]:
        rows = []
        for name, side in self.sides.items():
            rows += [
                (f"{part} {name}", f"{side.share(part):.2%}", side.examples(part)) for part in PARTS if side.all[part]
            ]
        if rows:
            yield Table("unknown to the vocabulary of training", ("", "share", "the most frequent"), tuple(rows))

    def findings(self) -> Iterator[Finding]:
        if not self.sides and self.setup.source is not None:
            yield self.found("ok", "nothing can be unknown: the pieces are made of bytes")
        for name, side in self.sides.items():
            worst = max((side.share(part) for part in PARTS if side.all[part]), default=0.0)
            bad = worst > side.much
            what = f"{worst:.2%} of the {side.unit} of the {name} in valid or test are unknown to training"
            advice = "more training data, or pieces: --data.tokenizer bpe" if bad else ""
            yield self.found("warning" if bad else "ok", what, side.unknown if bad else None, advice)


class _Side:
    """What is known on one side."""

    def __init__(self, tokenizer: Tokenizer):
        self.settings = tokenizer.settings  # type: ignore[attr-defined]
        self.unit = "words" if isinstance(tokenizer, Word) else "characters"
        self.much = MUCH[type(tokenizer)]
        self.counts: Counter[str] = Counter()
        self.known: frozenset[str] | None = None
        self.all: Counter[str] = Counter()
        self.unknown, self.named = Seen(), {part: Counter[str]() for part in PARTS}

    def see(self, row: Row, elements: Sequence[str]) -> None:
        if row.part == "train":
            self.counts.update(elements)
            if len(self.counts) > MOST:
                self.counts = Counter({name: count for name, count in self.counts.items() if count > 1})
            return
        if self.known is None:
            self.known = frozenset(most_frequent(self.counts, self.settings.size, self.settings.least))
            self.counts.clear()
        self.all[row.part] += len(elements)
        missing = [one for one in elements if one not in self.known]
        if missing:
            self.unknown.add(row, printable(" ".join(missing[:5])), len(missing))
            self.named[row.part].update(missing)

    def share(self, part: str) -> float:
        return self.unknown.by_part[part] / max(1, self.all[part])

    def examples(self, part: str) -> str:
        return " ".join(printable(name, 20) for name, _ in self.named[part].most_common(8))
