"""`prepare`: the training part into an index of numbers, in bounded memory; what is kept of the others as text."""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway import storage
from headway.batch import Example
from headway.data.codecs import Sequences
from headway.data.encoding import Codecs, Encoded
from headway.data.files import is_pipe
from headway.data.index import IndexWriter
from headway.data.index.kept import Thinned
from headway.data.loading import DataSet
from headway.data.parts import Source
from headway.data.survey import Survey
from headway.errors import UsageError
from headway.preparation.stream import Stream, fit
from headway.preparation.workers import Chunk, Workers, encoded_in_chunks
from headway.run import Run, build_codecs
from headway.settings import dump

LARGE = 64 << 20
"""Bytes of the files of a training part, unzipped, above which it is not kept in memory: a gigabyte there."""
ZIPPED = 4
"""About how much larger text is than gzip makes it."""
TOLD_EVERY = 10.0
"""Seconds between two sentences about how far it is."""


@dataclass(frozen=True)
class Preparing:
    """Where and how data are prepared.

    folder     that of the prepared data; what lies there is used where it was made from the same
    always     whether data that would fit into memory are prepared, too
    workers    processes that encode side by side; with 1 it is done here
    hear       is told sentences for the user
    """

    folder: Path
    always: bool = False
    workers: int = 1
    hear: Callable[[str], None] = lambda text: None

    def takes(self, data: DataSet) -> bool:
        """Whether these data are to be prepared. Raises UsageError where they cannot be, and must."""
        if self.always and data.kind != "text":
            raise UsageError(f"only texts are prepared, and the sources of these data are {data.kind}")
        return self.always or (data.kind == "text" and is_large(data.parts.part("train")))


def is_large(source: Source) -> bool:
    """Whether a part is better not kept in memory."""
    if any(map(is_pipe, source.files)):
        return False
    return sum(file.stat().st_size * (ZIPPED if file.suffix == ".gz" else 1) for file in source.files) > LARGE


def prepare(
    data: DataSet,
    run: Run,
    looked: Survey,
    metrics: Sequence[str],
    state: Mapping[str, Any],
    how: Preparing,
    facts: Mapping[str, Any],
) -> None:
    """Fit the codecs on the whole training part, encode it, and write the index.

    metrics    what the data suggest a new sequence is measured by
    state      what an earlier run keeps of the sides that it has fitted
    facts      what else prepared.json is to hold

    Raises DataError, UsageError and RunError. The folder is whole or not there.
    """
    codecs = build_codecs(run, data.recognized.several, metrics, state)
    stream = Stream(data, run.task)
    how.hear("vocabularies and labels are read off the training part")
    fit(codecs, stream, known=state)
    parts = {name: Thinned().add(data.read(data.parts.part(name))) for name in ("valid", "test") if name in data}
    with storage.whole_folder(how.folder) as folder, IndexWriter(folder) as writer:
        lengths = _Lengths(codecs)
        for examples, encoded in _told(_chunks(stream, codecs, run, metrics, data, how), looked.examples, how.hear):
            writer.append(examples, encoded)
            lengths.add(examples, encoded)
        lengths.fit()
        writer.finish(codecs, parts, {**facts, **_about(data, looked)})


def _about(data: DataSet, looked: Survey) -> dict[str, Any]:
    """What was recognized."""
    return {
        "survey": asdict(looked),
        "recognized": asdict(data.recognized),
        "how": data.parts.how,
        "read": {
            name: {"files": list(map(str, source.files)), "format": source.format}
            for name, source in data.parts.sources.items()
        },
    }


def _chunks(
    stream: Stream, codecs: Codecs, run: Run, metrics: Sequence[str], data: DataSet, how: Preparing
) -> Iterator[Chunk]:
    """All of the training part with its rows, in order."""
    if how.workers <= 1:
        yield from encoded_in_chunks(stream, codecs, run.data)
        return
    task = {
        "settings": dump(run),
        "several": data.recognized.several,
        "metrics": list(metrics),
        "codecs": codecs.state(),
    }
    with tempfile.TemporaryDirectory() as folder:
        workers = Workers(how.workers, Path(folder), task)
        try:
            yield from workers.encoded(stream, codecs)
        finally:
            workers.close()


class _Lengths:
    """How long sources and targets are before anything is cut: what a writer's bound is fitted on."""

    def __init__(self, codecs: Codecs):
        self.codecs = codecs
        self.read, self.written = list[NDArray[np.int32]](), list[NDArray[np.int32]]()

    def add(self, examples: Sequence[Example], encoded: Encoded) -> None:
        """Those of a chunk; what was cut is counted anew."""
        source, target = self.codecs.source, self.codecs.target
        if not isinstance(target, Sequences):
            return
        read = encoded.sources.lengths.astype(np.int32)
        written = np.array([len(row) for row in encoded.targets], np.int32)
        place = {id(example): number for number, example in enumerate(examples)}
        for example in encoded.cut:
            number = place[id(example)]
            read[number] = source.lengths([example.source])[0]
            written[number] = len(target.encode_all([example.target])[0])
        self.read.append(read)
        self.written.append(written)

    def fit(self) -> None:
        """The bound of a target that writes sequences."""
        if self.read:
            read, written = (np.concatenate(each).astype(np.int64) for each in (self.read, self.written))
            self.codecs.target.fit_known_lengths(read, written)


def _told(chunks: Iterator[Chunk], total: int, hear: Callable[[str], None]) -> Iterator[Chunk]:
    """The same, with a sentence from time to time."""
    done, last = 0, time.monotonic()
    for examples, encoded in chunks:
        yield examples, encoded
        done += len(examples)
        if time.monotonic() - last > TOLD_EVERY:
            last = time.monotonic()
            hear(f"{done:,} of {total:,} training examples are encoded")


def key_of(data: DataSet, run: Run) -> str:
    """The same for the same files, read in the same way."""
    files = [
        [str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns]
        for source in data.parts.sources.values()
        for file in source.files
    ]
    return print_of([files, dump(run.data), dump(run.model.input), run.task])


def print_of(told: Any) -> str:
    """A hash of what is JSON."""
    return hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()
