"""Prepared data as a training reads them: rows through memory maps, the rest as it was known then."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway import storage
from headway.batch import Batch, Example
from headway.data.encoding import Codecs, Encoded, Window
from headway.data.index.arrays import Mapped
from headway.data.index.kept import Kept, read_examples
from headway.data.parts import Parts
from headway.data.recognition import Recognized
from headway.data.sources import SourceCodec
from headway.data.sources.text import SourceText
from headway.data.survey import Survey
from headway.errors import RunError, Where, file_name, printable
from headway.rows import Rows
from headway.tasks import Task
from headway.version import INDEX_FORMAT, __version__

FACTS = "prepared.json"
HELD = 256
"""Batches after which the pages that were read are given back: few, so that they are little."""


def is_index(path: Path | None) -> bool:
    """Whether this is a folder of prepared data."""
    return path is not None and (path / FACTS).is_file()


class Windows(Sequence[Window]):
    """The windows of all rows, each made when it is asked for."""

    def __init__(self, values: NDArray):
        """values (R, 5)"""
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: Any) -> Any:
        return Window(*self.values[row].tolist())


class Numbers(Sequence[float]):
    """A number for every row."""

    def __init__(self, values: NDArray):
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: Any) -> Any:
        return float(self.values[row])


@dataclass
class Prepared(Encoded):
    """A training part whose rows lie in files; `Encoded` in all that a training asks of it.

    maps      what gives its pages back from time to time, so that resident memory does not grow to the files' size
    longer    examples that were longer than allowed
    """

    maps: Sequence[Mapped] = ()
    longer: int = 0
    made: int = field(default=0, compare=False)

    @property
    def shortened(self) -> int:
        return self.longer

    @property
    def elements(self) -> int:
        assert isinstance(self.sources, Rows)
        return int(self.sources.starts[-1])

    def batch(self, rows: NDArray[np.int64], source: SourceCodec, task: Task) -> Batch:
        found = super().batch(rows, source, task)
        self.made += 1
        if self.made % HELD == 0:
            for mapped in self.maps:
                mapped.give_back()
        return found


class Index:
    """A folder of prepared data, whole and unchanged."""

    def __init__(self, folder: Path):
        """Raises RunError."""
        self.folder = folder
        storage.verified(folder, (FACTS, "codecs.json"))
        self.facts: dict[str, Any] = storage.read_json(folder / FACTS)
        if self.facts["format"] > INDEX_FORMAT:
            raise RunError(
                f"{file_name(folder)} has format {self.facts['format']}, and headway {__version__} reads formats up to "
                f"{INDEX_FORMAT}: it was written by headway {printable(self.facts['headway'])}"
            )

    @property
    def survey(self) -> Survey:
        return Survey(**self.facts["survey"])

    @property
    def recognized(self) -> Recognized:
        return Recognized(**self.facts["recognized"])

    @property
    def count(self) -> int:
        """Examples of the training part."""
        return self.facts["parts"]["train"]["count"]

    @property
    def fingerprint(self) -> str:
        """That of the training part's examples."""
        return self.facts["fingerprint"]

    @property
    def codecs(self) -> dict[str, Any]:
        """What was fitted, as a run folder has it."""
        return storage.read_json(self.folder / "codecs.json")

    @cached_property
    def parts(self) -> Parts:
        """The parts, as far as they are kept as text."""
        found = {}
        for part, numbers in self.facts["parts"].items():
            path = self.folder / f"{part}.jsonl"
            files = tuple(map(Path, self.facts["read"][part]["files"]))
            found[part] = Kept(path, part, numbers["count"], numbers["kept"], files, self.facts["read"][part]["format"])
        missing = f"{file_name(self.folder)} holds {' and '.join(found)}"
        return Parts(found, self.facts["how"], missing)

    def kept(self, part: str) -> list[Example]:
        """The examples of a part that are there as text: all of them, or some that are spread evenly over it."""
        return list(read_examples(self.folder / f"{part}.jsonl"))

    def said(self) -> list[str]:
        """What is to be said of parts that are not there as a whole."""
        return [
            f"{part}: of {told['count']:,} examples, {told['kept']:,} spread evenly are kept as text"
            + (" for baselines" if part == "train" else ", and measured")
            for part, told in self.facts["parts"].items()
            if told["kept"] < told["count"]
        ]

    def place(self, example: int) -> Where:
        """Where an example of the training part came from."""
        number, line = self._places.values[2 * example : 2 * example + 2].tolist()
        return Where(Path(self.facts["files"][number]), line)

    @cached_property
    def _places(self) -> Mapped:
        return Mapped(self.folder, "places", 2 * self.count)

    def encoded(self, codecs: Codecs) -> Prepared:
        """The training part as rows of numbers, for codecs that were built from `codecs`. Raises RunError."""
        facts, maps = self.facts, dict[str, Mapped]()

        def mapped(name: str, count: int) -> NDArray:
            maps[name] = Mapped(self.folder, name, count)
            return maps[name].values

        def rows(side: str) -> Rows:
            return Rows(mapped(f"{side}s", facts["elements"][side]), mapped(f"{side}_starts", facts["rows"] + 1))

        if isinstance(codecs.source, SourceText) and codecs.source.forms is not None:
            for word in storage.read_json(self.folder / "forms.json"):
                codecs.source.forms.number(word)
        sources = rows("source")
        targets = Numbers(mapped("numbers", facts["rows"])) if facts["numbers"] else rows("target")
        windows = Windows(mapped("windows", 5 * facts["rows"]).reshape(-1, 5))
        costs = np.array(mapped("costs", facts["rows"]), np.int64)  # a copy: every epoch's order is made of all of them
        maps.pop("costs").give_back()
        return Prepared(windows, sources, targets, costs, maps=tuple(maps.values()), longer=facts["cut"])
