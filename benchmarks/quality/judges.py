"""Further measures of what was written, which are no metrics of headway: is it a molecule, and is it the right one?"""

from collections.abc import Callable, Sequence

from headway.batch import Example, TransduceAnswer


def valid(answers: Sequence[TransduceAnswer], test: Sequence[Example]) -> float:
    """The share that rdkit reads as a molecule."""
    return sum(_canonical(answer.text) is not None for answer in answers) / len(answers)


def same_molecule(answers: Sequence[TransduceAnswer], test: Sequence[Example]) -> float:
    """The share that is the right molecule, however its SMILES is written."""
    right = [
        (found := _canonical(answer.text)) is not None and found == _canonical(str(example.target))
        for answer, example in zip(answers, test, strict=True)
    ]
    return sum(right) / len(right)


def _canonical(smiles: str) -> str | None:
    """The one way in which rdkit writes this molecule; None where it is none."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(smiles) if smiles else None
    return None if molecule is None else Chem.MolToSmiles(molecule)


JUDGES: dict[str, Callable[[Sequence[TransduceAnswer], Sequence[Example]], float]] = {
    "valid": valid,
    "same_molecule": same_molecule,
}
