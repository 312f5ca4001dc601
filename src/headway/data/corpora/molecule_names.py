"""A molecule to its IUPAC name, or back: a graph or a sequence for a sequence of another kind."""

from collections.abc import Iterator
from pathlib import Path

from headway.data.corpora import Corpus, Record, Shares
from headway.data.corpora._chemicals import IDENTIFIERS, LICENCE, PACKAGE, substances

LONGEST = 80


class MoleculeNames(Corpus):
    title = "Molecule names (SMILES to IUPAC name, or back)"
    question = "transduce"
    about = f"59,000 pairs of at most {LONGEST} characters a side; --data.source name --data.target smiles turns them."
    package = PACKAGE
    members = (IDENTIFIERS,)
    fingerprint = "6481a6d89f1a96a8c2cc0a71df977f84366c2b4d2735212fe0f2ced5f1865ddb"
    licence = LICENCE
    origin = (
        "PubChem identifiers as the package chemicals ships them. The structures are of real substances, the names "
        "were made from them by a program. The SMILES have no stereo marks, so names that differ in those alone have "
        "the same SMILES."
    )
    recipe = f"Names and SMILES of at most {LONGEST} characters each. What has the same SMILES is in the same part."
    unit = "characters"
    split_by = "molecule"
    shares = Shares(0.9, 0.05, 0.05)
    columns = ("name", "smiles")

    def records(self, root: Path) -> Iterator[Record]:
        for _, smiles, name in substances(root):
            if name and smiles and len(name) <= LONGEST and len(smiles) <= LONGEST:
                yield Record(smiles, name, smiles)
