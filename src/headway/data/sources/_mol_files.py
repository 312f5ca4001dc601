"""Molecules that are a .mol file each, which tables and labelled folders name."""

from pathlib import Path

from headway.data.files import LONGEST, opened, text_of
from headway.data.sources._arrays import found
from headway.data.sources._graphs import Graph
from headway.data.sources._molecules import Smiles, from_block
from headway.errors import Where, file_name


def names_block(source: str, where: Where) -> bool:
    """Whether a file of examples names a .mol file there; what a person types, or a client sends, is never a path."""
    return isinstance(where.file, Path) and not isinstance(source, Smiles) and source.lower().endswith(".mol")


def from_file(name: str, where: Where) -> Graph:
    """The molecule of a .mol file that an example names. Raises DataError and MissingPackage."""
    path = found(name, where)
    with opened(path) as file:
        text = text_of(file.read(LONGEST + 1), where)
    graph = from_block(text, where, f"the MOL block in {file_name(path)}")
    graph.name = graph.name or name
    return graph
