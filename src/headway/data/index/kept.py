"""Examples as text, a line of JSON each: what is kept beside the numbers, for evaluations, baselines and pages."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from headway.batch import Example
from headway.data.parts import Source
from headway.data.readers import Columns, Complain, refuse
from headway.data.readers._columns import UNCHOSEN
from headway.errors import RunError, UsageError, Where, file_name


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """A line for each."""
    with open(path, "w", encoding="utf-8") as file:
        for one in examples:
            told = [one.source, one.target, list(one.others), str(one.where.file), one.where.line]
            file.write(json.dumps(told, ensure_ascii=False) + "\n")


def read_examples(path: Path) -> Iterator[Example]:
    """The examples of a file that `write_examples` wrote. Raises RunError."""
    files: dict[str, Path] = {}
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                source, target, others, name, number = json.loads(line)
                where = Where(files.setdefault(name, Path(name)), number)
                yield Example(_plain(source), _plain(target), where, tuple(map(_plain, others)))
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise RunError(f"{path} is damaged: {error}") from error


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


KEPT = 50_000
"""Examples of a part that are kept as text at most, spread evenly over it."""


class Thinned:
    """Every example, or every second, fourth, eighth … of a stream, so that no more are kept than `KEPT`."""

    def __init__(self) -> None:
        self.kept, self.count, self._every = list[Example](), 0, 1

    def add(self, examples: Iterable[Example]) -> "Thinned":
        """Examples more."""
        for example in examples:
            if self.count % self._every == 0:
                if len(self.kept) == KEPT:
                    self.kept, self._every = self.kept[::2], 2 * self._every
                if self.count % self._every == 0:
                    self.kept.append(example)
            self.count += 1
        return self


class Kept(Source):
    """What prepared data keep of a part as text."""

    def __init__(self, path: Path, part: str, count: int, kept: int, files: tuple[Path, ...], format: str):
        """count: examples of the part; kept: of those, how many are there as text; files: where they came from."""
        self.path, self.part, self.count, self.kept = path, part, count, kept
        self._files, self._format = files, format

    @property
    def files(self) -> tuple[Path, ...]:
        return self._files

    @property
    def format(self) -> str:
        return self._format

    def read(self, columns: Columns = UNCHOSEN, complain: Complain = refuse) -> Iterator[Example]:
        if self.part == "train" and self.kept < self.count:
            raise UsageError(
                f"{file_name(self.path.parent)} is prepared to be trained on: of its {self.count:,} training examples "
                f"{self.kept:,} are there as text; name the data that it was prepared from"
            )
        yield from read_examples(self.path)
