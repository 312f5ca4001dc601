"""Molecules as graphs, by way of rdkit: from SMILES, and from MOL blocks as SDF files hold them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from headway.data.sources._graphs import TYPE, Features, Graph
from headway.errors import DataError, MissingPackage, Where, printable


class Smiles(str):
    """A text that its header calls SMILES."""

    __slots__ = ()


def from_smiles(text: str, where: Where) -> Graph:
    """The molecule, hydrogens counted and not drawn. Raises DataError and MissingPackage."""
    text = text.strip()
    return _graph(_read(lambda chem: chem.MolFromSmiles(text), f"the SMILES {printable(text)!r}", where), text)


def from_block(block: str, where: Where) -> Graph:
    """The molecule of a MOL block; its first line is its name. Raises DataError and MissingPackage."""
    name = block.partition("\n")[0].strip()
    return _graph(_read(lambda chem: chem.MolFromMolBlock(block), "the MOL block", where), name)


def _read(read: Callable[[Any], Any], what: str, where: Where) -> Any:
    """What rdkit makes of it; its own words on standard error are kept for the message."""
    try:
        from rdkit import Chem, rdBase
    except ImportError:
        raise MissingPackage("rdkit", "graph", "reading molecules as graphs") from None
    with rdBase.BlockLogs():
        molecule = read(Chem)
    if molecule is None:
        raise DataError(where, f"{what} is no molecule that rdkit understands: it cannot be parsed, or a valence is wrong")
    if not molecule.GetNumAtoms():
        raise DataError(where, f"{what} has no atoms")
    return molecule


def _graph(molecule: Any, name: str) -> Graph:
    pairs, bonds = [], []
    for bond in molecule.GetBonds():
        i, j = sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
        pairs.append((i, j))
        bonds.append(_bond(bond))
    order = sorted(range(len(pairs)), key=pairs.__getitem__)
    nodes = tuple(map(_atom, molecule.GetAtoms()))
    ends = np.array([pairs[number] for number in order], np.int32).reshape(-1, 2)
    return Graph.checked(nodes, ends, tuple(bonds[number] for number in order), name=name)


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
            str(atom.GetChiralTag()).removeprefix("CHI_").lower(),
        ),
    )


def _bond(bond: Any) -> Features:
    return _shared((TYPE,), (str(bond.GetBondType()).lower(),))
