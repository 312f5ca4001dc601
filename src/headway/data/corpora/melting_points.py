"""Molecule to melting point: the Open Notebook collection."""

from headway.data.corpora._chemicals import IDENTIFIERS, Measured


class MeltingPoints(Measured):
    title = "Melting points (molecule to kelvin)"
    about = "10,036 molecules as SMILES with their melting points in kelvin."
    members = (IDENTIFIERS, "chemicals/Phase Change/OpenNotebook Melting Points.tsv")
    fingerprint = "d189d8793e03c271e2baae1d386bd6a588b1bc36b9f0037a17df01e5ec6d2668"
    origin = (
        "Open Notebook Science melting points (Bradley, Lang, Williams and others), as the package chemicals ships "
        "them, joined with its PubChem identifiers by CAS number. The SMILES have no stereo marks."
    )
    recipe = "Each CAS number of the table is looked up among the identifiers; rows that are not there are left out."
