"""Molecule to logP: how a substance divides itself between octanol and water."""

from headway.data.corpora._chemicals import IDENTIFIERS, Measured


class LogP(Measured):
    title = "logP (molecule to octanol-water partition)"
    about = "3,882 molecules as SMILES with the logarithm of their octanol-water partition coefficient."
    members = (IDENTIFIERS, "chemicals/Environment/Syrres logP data.csv.gz")
    fingerprint = "b2ba3562b4a41bc343a5a96779b75302487e12a36ad0139abe9e4d7b14e0d688"
    origin = (
        "The Syracuse Research collection of logP, as the package chemicals ships it, joined with its PubChem "
        "identifiers by CAS number. The SMILES have no stereo marks."
    )
    recipe = "Each CAS number of the table is looked up among the identifiers; rows that are not there are left out."
