"""Prepared data, chunk by chunk: rows as they come from the encoder, and what is kept of the examples."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway import storage
from headway.batch import Example
from headway.data.encoding import Codecs, Encoded
from headway.data.index.arrays import Column
from headway.data.index.kept import Thinned, write_examples
from headway.data.sources.text import SourceText
from headway.rows import Rows
from headway.version import INDEX_FORMAT, __version__


class Fingerprint:
    """A hash of what is learned from: equal for equal data in equal order."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b(digest_size=16)

    def add(self, examples: Sequence[Example]) -> None:
        """Examples more."""
        for example in examples:
            self._digest.update(repr((example.source, example.target)).encode())

    def __str__(self) -> str:
        return self._digest.hexdigest()


def fingerprint(examples: Sequence[Example]) -> str:
    """That of examples in memory."""
    found = Fingerprint()
    found.add(examples)
    return str(found)


class IndexWriter:
    """Writes the training part into a folder that `storage.whole_folder` made; its files are open inside `with`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.columns: dict[str, Column] = {}
        self.rows = self.cut = 0
        self.starts = {"source": 0, "target": 0}
        self.fingerprint = Fingerprint()
        self.files: dict[str, int] = {}
        self.sample = Thinned()

    def __enter__(self) -> "IndexWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        for column in self.columns.values():
            column.close()

    def append(self, examples: Sequence[Example], encoded: Encoded) -> None:
        """The examples that come next, and their rows."""
        self._append("costs", encoded.costs)
        windows = np.array(encoded.windows, np.int64).reshape(-1, 5)
        windows[:, 0] += self.sample.count
        self._append("windows", windows)
        assert isinstance(encoded.sources, Rows)
        self._rows("source", encoded.sources)
        self._targets(encoded.targets)
        numbers = [self.files.setdefault(str(one.where.file), len(self.files)) for one in examples]
        self._append("places", np.array([numbers, [one.where.line for one in examples]], np.int64).T)
        self.fingerprint.add(examples)
        self.sample.add(examples)
        self.rows += len(encoded)
        self.cut += len(encoded.cut)

    def _append(self, name: str, values: NDArray) -> None:
        if name not in self.columns:
            self.columns[name] = Column(self.folder, name)
            if name.endswith("starts"):
                self.columns[name].append(np.zeros(1, np.int64))
        self.columns[name].append(values)

    def _rows(self, side: str, rows: Rows) -> None:
        self._append(f"{side}s", rows.values)
        self._append(f"{side}_starts", rows.starts[1:] + self.starts[side])
        self.starts[side] += int(rows.starts[-1])

    def _targets(self, targets: Sequence[Any] | Rows) -> None:
        if isinstance(targets, Rows) or not isinstance(targets[0], float):
            self._rows("target", targets if isinstance(targets, Rows) else Rows.of(targets))
        else:
            self._append("numbers", np.array(targets, np.float64))

    def finish(self, codecs: Codecs, parts: Mapping[str, Thinned], facts: Mapping[str, Any]) -> None:
        """Write what is known when all is encoded.

        parts    what is kept of valid and test
        facts    what else prepared.json is to hold
        """
        self._close()
        parts = {"train": self.sample, **parts}
        for part, some in parts.items():
            write_examples(self.folder / f"{part}.jsonl", some.kept)
        storage.write_json(self.folder / "codecs.json", codecs.state())
        if isinstance(codecs.source, SourceText) and codecs.source.forms is not None:
            storage.write_json(self.folder / "forms.json", codecs.source.forms.words)
        told = {
            "format": INDEX_FORMAT,
            "headway": __version__,
            **facts,
            "rows": self.rows,
            "elements": self.starts,
            "numbers": "numbers" in self.columns,
            "cut": self.cut,
            "fingerprint": str(self.fingerprint),
            "files": list(self.files),
            "parts": {part: {"count": some.count, "kept": len(some.kept)} for part, some in parts.items()},
        }
        storage.write_json(self.folder / "prepared.json", told)
