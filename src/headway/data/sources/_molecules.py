"""Molecules as graphs, by way of rdkit: from SMILES, and from MOL blocks as SDF files hold them."""

import contextlib
import re
from typing import Any

import numpy as np

from headway.data.sources._graphs import TYPE, Features, Graph
from headway.errors import DataError, MissingPackage, Where, printable

RIDDLES = 8
"""Atoms of any element that rings of one molecule may have."""
SIDES = 100_000
"""Steps in which rdkit may tell sides apart; where rings are too alike for that, its older rules stand."""
MOST_WRITTEN = 500
"""Atoms of a molecule that is written as SMILES: rdkit calls itself for each, and long chains end the process."""


class Smiles(str):
    """A text that its header calls SMILES."""

    __slots__ = ()


def from_smiles(text: str, where: Where) -> Graph:
    """The molecule, hydrogens counted and not drawn. Raises DataError and MissingPackage."""
    text = text.strip()
    return _graph(_read("MolFromSmiles", text, f"the SMILES {printable(text)!r}", where), text)


def from_block(block: str, where: Where, what: str = "the MOL block") -> Graph:
    """The molecule of a MOL block; its first line is its name. Raises DataError and MissingPackage."""
    return _graph(_read("MolFromMolBlock", block, what, where), block.partition("\n")[0].strip())


def smiles_of(block: str, where: Where) -> str:
    """The molecule of a MOL block in rdkit's own SMILES, which it reads again. Raises DataError and MissingPackage."""
    molecule = _read("MolFromMolBlock", block, "the MOL block", where)
    if (atoms := molecule.GetNumAtoms()) > MOST_WRITTEN:
        raise DataError(where, f"the molecule has {atoms:,} atoms, and SMILES are written of {MOST_WRITTEN} at most")
    written = _rdkit()[0].MolToSmiles(molecule)
    _read("MolFromSmiles", written, f"the SMILES {printable(written)!r}", where)
    return written


def version() -> str:
    """rdkit's, by which its SMILES may differ. Raises MissingPackage."""
    return _rdkit()[1].rdkitVersion


def _rdkit() -> tuple[Any, Any]:
    """Its modules Chem and rdBase. Raises MissingPackage."""
    try:
        from rdkit import Chem, rdBase
    except ImportError:
        raise MissingPackage("rdkit", "graph", "reading molecules as graphs") from None
    return Chem, rdBase


def _read(how: str, text: str, what: str, where: Where) -> Any:
    """What rdkit makes of it, also of valences that it finds too large (BrF₃)."""
    Chem, rdBase = _rdkit()
    read = getattr(Chem, how)
    with rdBase.BlockLogs():
        if how != "MolFromSmiles" or "*" in text or "#0" in text:  # the others have none, and are read once
            _refuse_riddles(read(text, sanitize=False), what, where)
        molecule = read(text)
        if molecule is None and (molecule := read(text, sanitize=False)) is not None:
            molecule.UpdatePropertyCache(strict=False)
            others = Chem.SanitizeFlags.SANITIZE_ALL ^ Chem.SanitizeFlags.SANITIZE_PROPERTIES
            if Chem.SanitizeMol(molecule, others, catchErrors=True):
                molecule = None
            else:
                Chem.AssignStereochemistry(molecule, cleanIt=True, force=True)
    if molecule is None:
        raise DataError(where, f"{what} is no molecule that rdkit understands: {_why(how, text)}")
    if not molecule.GetNumAtoms():
        raise DataError(where, f"{what} has no atoms")
    return molecule


def _refuse_riddles(loose: Any, what: str, where: Where) -> None:
    """rdkit tries both answers for each atom of a ring that may be any element: twice the time for each, and no end."""
    Chem, _ = _rdkit()
    if loose is None or sum(not atom.GetAtomicNum() for atom in loose.GetAtoms()) <= RIDDLES:
        return
    Chem.FastFindRings(loose)
    if (number := sum(not atom.GetAtomicNum() and atom.IsInRing() for atom in loose.GetAtoms())) > RIDDLES:
        raise DataError(where, f"{what} has {number} atoms of any element (*) in rings; {RIDDLES} are read at most")


def _why(how: str, text: str) -> str:
    """What is wrong with it, and how it is mended where that can be said."""
    Chem, rdBase = _rdkit()
    with rdBase.BlockLogs():
        loose = getattr(Chem, how)(text, sanitize=False)
        problems = []
        with contextlib.suppress(RuntimeError):  # of rdkit's own checks, which some broken blocks do not pass
            problems = [] if loose is None else Chem.DetectChemistryProblems(loose)
    if loose is None and how == "MolFromMolBlock":
        return "its lines are not as its counts say, or an element is unknown"
    if loose is None and "(H)" in text:
        return "a hydrogen stands in brackets with its atom, [nH], and not as (H)"
    if loose is None:
        return "a bracket or a ring is not closed, or an element is unknown"
    if any(problem.GetType() == "KekulizeException" for problem in problems):
        return "its aromatic rings have no double bonds that fit; an aromatic nitrogen with a hydrogen is written [nH]"
    said = "; ".join(printable(problem.Message(), 120) for problem in problems)
    return said or "its atoms and bonds do not fit together"


def _graph(molecule: Any, name: str) -> Graph:
    _name_sides(molecule)
    pairs, bonds = [], []
    for bond in molecule.GetBonds():
        i, j = sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
        pairs.append((i, j))
        bonds.append(_bond(bond))
    order = sorted(range(len(pairs)), key=pairs.__getitem__)
    nodes = tuple(map(_atom, molecule.GetAtoms()))
    ends = np.array([pairs[number] for number in order], np.int32).reshape(-1, 2)
    features = tuple(bonds[number] for number in order)
    return Graph.checked(nodes, ends, features, name=name, same=_same(molecule))


def _name_sides(molecule: Any) -> None:
    """R, S, r, s for atoms and E, Z for double bonds (Cahn, Ingold & Prelog 1966), whatever the order of the atoms."""
    from rdkit.Chem import rdCIPLabeler

    with contextlib.suppress(RuntimeError):  # of its limit
        rdCIPLabeler.AssignCIPLabels(molecule, maxRecursiveIterations=SIDES)


_UNSEEN = re.compile(r":|\[\d")
"""In SMILES what no feature holds: the numbers of a mapping, isotopes."""


def _same(molecule: Any) -> str:
    """Canonical SMILES of what the features hold; nothing of large molecules."""
    Chem, _ = _rdkit()
    if molecule.GetNumAtoms() > MOST_WRITTEN:
        return ""
    written = Chem.MolToSmiles(molecule)
    if not _UNSEEN.search(written):
        return written
    plain = Chem.Mol(molecule)
    for atom in plain.GetAtoms():
        atom.SetIsotope(0)
        atom.SetAtomMapNum(0)
    return Chem.MolToSmiles(plain)


CIP = "_CIPCode"
"""Where rdkit keeps the names of sides."""
STEREO = "stereo"
"""The feature of a double bond whose sides are known."""

_KNOWN: dict[tuple[str, ...], Features] = {}
"""Atoms and bonds that are alike share their features: a million atoms are a few hundred kinds."""


def _shared(names: tuple[str, ...], values: tuple[str, ...]) -> Features:
    return _KNOWN.setdefault((*names, *values), dict(zip(names, values, strict=True)))


ATOM = ("element", "charge", "hydrogens", "aromatic", "hybridization", "ring", "chirality")
"""Of an atom: its element, its formal charge, the hydrogens on it, and where it stands."""


def _atom(atom: Any) -> Features:
    ring = "no"
    if atom.IsInRing():
        ring = next((str(size) for size in range(3, 9) if atom.IsInRingSize(size)), "large")
    return _shared(
        ATOM,
        (
            atom.GetSymbol(),
            str(atom.GetFormalCharge()),
            str(atom.GetTotalNumHs()),
            "yes" if atom.GetIsAromatic() else "no",
            str(atom.GetHybridization()).lower(),
            ring,
            _side(atom) or "none",
        ),
    )


def _bond(bond: Any) -> Features:
    kind, side = str(bond.GetBondType()).lower(), _side(bond)
    return _shared((TYPE, STEREO), (kind, side)) if side else _shared((TYPE,), (kind,))


def _side(one: Any) -> str:
    return one.GetProp(CIP) if one.HasProp(CIP) else ""
