"""Where training, validation and test data are: a folder, one file that is split, or files named one by one.

parts = parts_of(Path("reviews.tsv"))
print(parts.how)
for example in parts.part("train").read(): ...
"""

import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from headway.batch import Example, Value
from headway.data.files import check_file, is_pipe, listed, names_in, place
from headway.data.formats import by_suffix, reader_for, suffix_of
from headway.data.parallel import read_parallel
from headway.data.readers import READERS, Columns, Complain, refuse
from headway.data.readers._columns import UNCHOSEN
from headway.data.readers.folders import is_labelled, labels_in
from headway.errors import DataError, UsageError, file_name, printable, unknown

PARTS = ("train", "valid", "test")


# ------------------------------------------------------------------------------------------------------------ sources


class Source:
    """Examples that can be read again and again."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files they come from."""
        raise NotImplementedError

    @property
    def format(self) -> str:
        """The name of a reader, or `parallel` where line i of one file belongs to line i of another."""
        raise NotImplementedError

    def read(self, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        """The examples from the first to the last, as a reader gives them."""
        raise NotImplementedError


@dataclass(frozen=True)
class FileSource(Source):
    """The examples of one file."""

    path: Path
    reader: str

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.path,)

    @property
    def format(self) -> str:
        return self.reader

    def read(self, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        return reader_for(self.path, self.reader)[1].read(self.path, columns, complain)


@dataclass(frozen=True)
class ParallelSource(Source):
    """The pairs of a source file and its target files; their columns are the files, so none are chosen."""

    paths: tuple[Path, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        return self.paths

    @property
    def format(self) -> str:
        return "parallel"

    def read(self, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        return read_parallel(self.paths[0], self.paths[1:], complain)


@dataclass(frozen=True)
class Held(Source):
    """The examples of a source that can be read once only, kept as they were read."""

    whole: Source
    examples: tuple[Example, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        return self.whole.files

    @property
    def format(self) -> str:
        return self.whole.format

    def read(self, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        return iter(self.examples)


@dataclass(frozen=True)
class Share(Source):
    """Some tenths of the examples of another source: those whose source text falls into these buckets of ten."""

    whole: Source
    name: str
    buckets: frozenset[int]

    @property
    def files(self) -> tuple[Path, ...]:
        return self.whole.files

    @property
    def format(self) -> str:
        return self.whole.format

    def read(self, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        all_examples, mine = 0, 0
        for example in self.whole.read(columns, complain):
            all_examples += 1
            if bucket_of(example.source) in self.buckets:
                mine += 1
                yield example
        if not mine:
            count = f"{all_examples:,} example" + ("" if all_examples == 1 else "s")
            advice = f"give a {self.name} file (--data.{self.name} FILE), or more data"
            raise DataError(
                place(self.files[0]), f"{self.name} would be empty: none of {count} falls into it; {advice}"
            )


_PART_OF_FILE = re.compile(r"\.\w+(?P<part>#t=[\d.,]*)$")


def bucket_of(source: Any) -> int:
    """0 … 9 by a hash of the source alone, so that equal sources share a part, in every run and on every machine."""
    return int.from_bytes(blake2b(alike(source).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") % 10


def alike(source: Any) -> str:
    """The same for sources that differ only in case, in blanks or in how a character is encoded (NFKC)."""
    if isinstance(source, Value):
        text = source.content()
    elif isinstance(source, str) and (part := _PART_OF_FILE.search(source)):
        text = source[: part.start("part")]  # the parts of a recording have their speaker in common
    else:
        text = source if isinstance(source, str) else " ".join(map(str, source))
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


# -------------------------------------------------------------------------------------------------------------- parts


@dataclass(frozen=True)
class Parts:
    """The parts of a data set.

    how        one sentence that says what was recognized
    missing    what to say of a part that is not there
    """

    sources: Mapping[str, Source]
    how: str
    missing: str = field(default="", repr=False)

    def __contains__(self, name: str) -> bool:
        return name in self.sources

    def part(self, name: str) -> Source:
        """A part by name. Raises UsageError where it is not there."""
        if name not in self.sources:
            raise UsageError(
                unknown("part", name, PARTS) if name not in PARTS else f"there is no {name} part: {self.missing}"
            )
        return self.sources[name]


def parts_of(
    data: Path | None = None,
    *,
    train: Sequence[Path] = (),
    valid: Sequence[Path] = (),
    test: Sequence[Path] = (),
    source: str | None = None,
    target: Sequence[str] = (),
    format: str | None = None,
) -> Parts:
    """The parts of a folder or a file, where files given for a part take that part's place.

    A part that is given as several files is parallel: the source, the target, further references. `source` and `target`
    are the ends of the names of parallel files in a folder (`en`, `de`). What is missing is cut from what is there by a
    hash of the source: from training data alone a tenth each for validation and test, with a test part a tenth for
    validation. Raises UsageError and DataError; files are looked for, and not read but for their first lines.
    """
    given = {name: _given(name, files, format) for name, files in zip(PARTS, (train, valid, test)) if files}
    found: dict[str, Source] = {}
    aside: list[str] = []
    missing = "no data was given; name a folder, a file, or files: --data.train, --data.valid, --data.test"
    if data is not None and not os.path.isdir(data):
        if "train" in given:
            raise UsageError(f"training data were given twice: {file_name(data)} and --data.train; leave one out")
        found = {"train": _given("train", (data,), format)}
        missing = f"the data are the file {file_name(data)}; --data.NAME FILE gives more"
    elif data is not None:
        folder = _Folder(data, source, tuple(target), format)
        found, missing = folder.sources({name for name in PARTS if name not in given}), folder.missing()
        aside = folder.aside({file for part in found.values() for file in part.files})
    elif given:
        missing = (
            f"only {' and '.join(given)} {'was' if len(given) == 1 else 'were'} given; --data.NAME FILE gives more"
        )
    sources = {name: (found | given)[name] for name in PARTS if name in found or name in given}
    if not sources:
        raise UsageError(f"there is no train part: {missing}" if data is not None else missing)
    sources, split = _split(sources)
    return Parts(sources, _how(sources, split, aside), missing)


def _given(name: str, files: Sequence[Path], format: str | None) -> Source:
    """The source of the files that a user named for a part. Raises UsageError and DataError."""
    files = tuple(files)
    if any(map(is_pipe, files)) and (name != "test" or len(files) > 1):
        raise UsageError(f"{name} is read more than once, and standard input or a pipe only once: name a file")
    for file in files:
        check_file(file)
    if len(files) == 1:
        return FileSource(files[0], reader_for(files[0], format)[0])
    for file in files:
        if kind := by_suffix(file):
            raise UsageError(
                f"several files for {name} are read line by line as source and target, and {file_name(file)} is "
                f"{kind}, which holds both; put such files one behind the other into one"
            )
    return ParallelSource(files)


def _split(sources: Mapping[str, Source]) -> tuple[dict[str, Source], str]:
    """The parts with what is missing cut from the training data, and the words for it."""
    train = sources.get("train")
    if train is None or "valid" in sources:
        return dict(sources), ""
    valid = Share(train, "valid", frozenset({8}))
    if "test" in sources:
        shares = {"train": Share(train, "train", frozenset({*range(8), 9})), "valid": valid}
        return {**shares, "test": sources["test"]}, "90 % train, 10 % valid"
    shares = {"train": Share(train, "train", frozenset(range(8))), "valid": valid}
    return {**shares, "test": Share(train, "test", frozenset({9}))}, "80 % train, 10 % valid, 10 % test"


def _how(sources: Mapping[str, Source], split: str, aside: Sequence[str]) -> str:
    said = []
    for name, source in sources.items():
        files = f"{' + '.join(file_name(file) for file in source.files)} ({source.format})"
        if not isinstance(source, Share):
            said.append(f"{name} is {files}")
        elif name == "train":
            said.append(f"{files} is split by a hash of the source: {split}; equal sources stay together")
    return "; ".join(said + [f"left aside: {listed(aside, 4)}"] * bool(aside))


# ------------------------------------------------------------------------------------------------------------- folder

_NAMES = {"train": "train", "valid": "valid", "val": "valid", "dev": "valid", "validation": "valid", "test": "test"}
_NO_DATA = re.compile("md|rst|html|pdf|log|bak|orig|swp|tmp|old|zip|tar|tgz|bz2|xz|zst|idx|bin|np[yz]|pt|lock|ya?ml")
"""Ends of names of files that hold no examples."""
_LANGUAGE = re.compile(r"[a-z]{2,3}[0-9]*(?:[-_][a-z0-9]+)*|src|source|in|input|tgt|trg|target|out|output")
"""Ends of names of parallel files, where there is a table beside them."""
_LIKE_A_PART = re.compile("train|valid|val|dev|test", re.IGNORECASE)
_SOURCE, _TARGET = {"src", "source", "in", "input"}, {"tgt", "trg", "target", "out", "output"}


class _Folder:
    """A folder with train.*, valid.* (val.*, dev.*) and test.*; whatever else is in it is left alone."""

    def __init__(self, path: Path, source: str | None, target: tuple[str, ...], format: str | None):
        self.path, self.format = path, format
        self.source, self.target = source and source.lower(), tuple(name.lower() for name in target)
        self.candidates: dict[str, list[Path]] = {name: [] for name in PARTS}
        for name in names_in(path):
            begin, dot, end = name.lower().partition(".")
            if not (dot and begin in _NAMES and os.path.isfile(path / name)):
                continue
            if not _NO_DATA.fullmatch(end.rpartition(".")[2]):
                self.candidates[_NAMES[begin]].append(path / name)

    def missing(self) -> str:
        ends = ", ".join(f".{name}" for name in READERS.names() if f".{name}" in READERS.part(name).suffixes)
        return (
            f"the folder {file_name(self.path)} holds {listed(names_in(self.path))}; expected are train.*, valid.* "
            f"(or val.*, dev.*) and test.*, each one file ({ends}, .txt) or a pair like train.src and train.tgt, "
            "plain or .gz; or folders of sounds, vectors or molecules (.mol), each named by its label: "
            "train/LABEL/*.wav or LABEL/*.wav"
        )

    def sources(self, wanted: set[str]) -> dict[str, Source]:
        """The parts that are wanted and there. Raises UsageError where two files could be one part."""
        if not any(self.candidates.values()):
            return {name: FileSource(folder, "folders") for name, folder in self._labelled().items() if name in wanted}
        return {name: self._source(name) for name in PARTS if name in wanted and self.candidates[name]}

    def _labelled(self) -> dict[str, Path]:
        """Folders of the parts whose folders are the labels of what lies in them; or this one, to be split."""
        names = [name for name in labels_in(self.path) if name.lower() in _NAMES and is_labelled(self.path / name)]
        found = {_NAMES[name.lower()]: self.path / name for name in names}
        if len(found) < len(names):
            raise UsageError(f"{file_name(self.path)} has several folders for one part: {listed(names)}; move one away")
        return found or ({"train": self.path} if is_labelled(self.path) else {})

    def aside(self, used: set[Path]) -> list[str]:
        """The names that begin like a part and are not used: who put them there may have meant them to be."""
        return [name for name in names_in(self.path) if _LIKE_A_PART.match(name) and self.path / name not in used]

    def _source(self, part: str) -> Source:
        files = self.candidates[part]
        tables = [file for file in files if by_suffix(file) or _side(file) == "txt"]
        tables = [file for file in tables if self.format and by_suffix(file) == self.format] or tables
        others = [file for file in self._sides(part) if not tables or _LANGUAGE.fullmatch(_side(file))]
        sides = {_side(file): file for file in others}
        if len(tables) > 1 or len(sides) < len(others) or (tables and len(sides) > 1):
            raise UsageError(
                f"{file_name(self.path)} has several files for {part}: {listed(file.name for file in files)}; "
                f"move all but one away, or choose: --data.{part} FILE"
            )
        if not tables and len(sides) > 1:
            return ParallelSource(self._ordered(part, sides))
        file = (tables or others)[0]
        if not tables and any(len(self._sides(name)) > 1 for name in PARTS):
            raise UsageError(f"{file_name(file)} stands alone, and other parts of the folder are parallel files")
        return FileSource(file, reader_for(file, self.format)[0])

    def _sides(self, part: str) -> list[Path]:
        """The files of a part whose names end like no format: parallel files, and files to be looked into."""
        return [file for file in self.candidates[part] if not by_suffix(file) and _side(file) != "txt"]

    def _ordered(self, part: str, sides: Mapping[str, Path]) -> tuple[Path, ...]:
        """The file of the source and those of the targets."""
        source, target = self.source, self.target
        for side in (source, *target[:1]):
            if side is not None and side not in sides:
                problem = unknown("end of a parallel file", side, map(printable, sides))
                raise UsageError(f"{part} in {file_name(self.path)}: {problem}")
        if source is None and target and len(left := set(sides) - set(target)) == 1:
            source = left.pop()
        if source is not None and not target and len(left := set(sides) - {source}) == 1:
            target = (left.pop(),)
        plain = [side for side in sides if side in _SOURCE], [side for side in sides if side in _TARGET]
        if source is None and not target and len(plain[0]) == len(plain[1]) == 1:
            source, target = plain[0][0], tuple(plain[1])
        if source is None or not target:
            first, second = map(printable, sorted(sides)[:2])
            names = listed(file.name for file in sides.values())
            raise UsageError(
                f"{names} in {file_name(self.path)} are parallel files; say which is read and which is written: "
                f"--data.source {first} --data.target {second}, or --data.source {second} --data.target {first}"
            )
        return sides[source], *(sides[side] for side in target if side in sides)


def _side(file: Path) -> str:
    """What tells a file from the others of its part: `de` of train.de, train.de.gz and train.de.txt."""
    end = file.name.lower().partition(".")[2].removesuffix(".gz")
    return re.sub(r"\.txt$", "", end) if suffix_of(file) == ".txt" else end
