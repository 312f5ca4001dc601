"""Mandarin syllables by two voices: the recordings of the input method gcin."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from headway.data.corpora import Corpus, Package, Record

FOLDER = "usr/share/gcin-voice/ogg"
TONES = {"2": "2", "3": "3", "4": "4", "1": "5"}
"""Of the digit behind a syllable; without one it is the first tone, and 1 is the neutral tone, which is called 5."""


class Syllable(NamedTuple):
    """A recording: the symbols of the syllable without its tone, the tone, who speaks."""

    name: str
    base: str
    tone: str
    speaker: str


class GcinVoice(Corpus):
    package = Package("apt", ("gcin-voice",), "0~20170223-3", 7.7)
    members = (f"{FOLDER}/*/*.ogg",)
    fingerprint = "d01eb366e4338c86a61aed85b035044ba568f8cb54e63baf2c1892778a67d9b8"
    licence = "GPL-3 and LGPL-3 (speaker 3), CC-BY-3 (speaker 5)"
    origin = (
        "The voices of the input method gcin: speaker 3 is Edward Liu, speaker 5 the voice actor Chu Lo. 44.1 kHz, one "
        "channel, Ogg Vorbis, about a third of a second each; the release is Debian's."
    )
    unit = "recordings"
    split_by = "syllable without its tone"

    def syllables(self, root: Path) -> Iterator[tuple[Syllable, Path]]:
        """Every recording, with its file."""
        for path in sorted((root / FOLDER).glob("*/*.ogg")):
            written = path.parent.name
            base, tone = (written[:-1], TONES[written[-1]]) if written[-1] in TONES else (written, "1")
            yield Syllable(f"sounds/{written}-{path.stem}.ogg", base, tone, path.stem), path

    def attached(self, root: Path) -> Mapping[str, Path]:
        return {syllable.name: path for syllable, path in self.syllables(root)}

    def target(self, syllable: Syllable) -> str:
        """What is right for a recording."""
        raise NotImplementedError

    def group(self, syllable: Syllable) -> str:
        return syllable.base

    def records(self, root: Path) -> Iterator[Record]:
        for syllable, _ in self.syllables(root):
            yield Record(self.group(syllable), syllable.name, self.target(syllable))
