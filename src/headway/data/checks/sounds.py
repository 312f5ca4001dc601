"""How long sounds are and how they were recorded; which of them are silent or cut at full scale."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from headway.data.checks import Check, Finding, Row, Seen, Setup, Table, counted
from headway.data.parts import PARTS
from headway.data.sources.sound import Sound

SILENT = 1e-4
"""The largest sample of a sound in which there is nothing to hear, of 1."""
CLIPPED = 0.01
"""The share of samples at full scale of a sound that was recorded too loudly."""


class Sounds(Check):
    kinds = ("sound",)

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.rates: Counter[int] = Counter()
        self.seconds: Counter[str] = Counter()
        self.silent, self.clipped = Seen(), Seen()

    def see(self, row: Row) -> None:
        sound = row.example.source
        if not isinstance(sound, Sound):
            return
        self.rates[sound.rate] += 1
        self.seconds[row.part] += round(1_000 * sound.seconds)
        loud = np.abs(sound.read())
        if loud.max(initial=0.0) < SILENT:
            self.silent.add(row, str(sound))
        elif (loud >= 0.999).mean() > CLIPPED:
            self.clipped.add(row, str(sound))

    def tables(self) -> Iterator[Table]:
        rows = tuple((part, f"{self.seconds[part] / 60_000:,.1f}") for part in PARTS if self.seconds[part])
        yield Table("minutes of sound", ("part", "minutes"), rows)

    def findings(self) -> Iterator[Finding]:
        if self.silent.count:
            what = f"{counted(self.silent.count, 'sound')} in which there is nothing to hear"
            yield self.found("warning", what, self.silent, "leave them out")
        if self.clipped.count:
            what = f"{counted(self.clipped.count, 'sound')} recorded too loudly: samples are cut at full scale"
            yield self.found("note", what, self.clipped)
        if len(self.rates) > 1:
            told = ", ".join(f"{count:,} of {rate:,} Hz" for rate, count in self.rates.most_common(5))
            yield self.found("note", f"different sampling rates: {told}; all are brought to model.input.rate")
