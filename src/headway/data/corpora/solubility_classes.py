"""Molecule to how well it is solved by water: low, medium or high, with a test part that is given."""

from headway.data.corpora.solubility import STRUCTURE, Solubility


class SolubilityClasses(Solubility):
    title = "Solubility classes (molecule to low, medium or high)"
    question = "classify"
    about = "1,282 molecules as SMILES and whether their solubility in water is low, medium or high."
    recipe = f"The field SOL_classification of each molecule without its letter in brackets, and {STRUCTURE}."
    columns = ("smiles", "label")
    field = "sol_classification"
