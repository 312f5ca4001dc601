"""Chunks of examples encoded by processes side by side, and handed on in the order in which they were given."""

import json
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from headway.batch import Example
from headway.data.encoding import Codecs, Encoded, Window, encode
from headway.data.settings import DataSettings
from headway.data.sources.text import SourceText
from headway.errors import DataError, HeadwayError, Where
from headway.preparation.worker import ARRAYS
from headway.rows import Rows

CHUNK = 4_096
"""Examples that are encoded at once."""

Chunk = tuple[Sequence[Example], Encoded]


def encoded_in_chunks(examples: Iterable[Example], codecs: Codecs, settings: DataSettings) -> Iterator[Chunk]:
    """The examples chunk by chunk with their rows, encoded here."""
    for chunk in _chunks(examples):
        yield chunk, encode(chunk, codecs, settings)


def _chunks(examples: Iterable[Example]) -> Iterator[list[Example]]:
    left = iter(examples)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


class Workers:
    """Processes that encode; each is told everything on its standard input and answers on its standard output."""

    def __init__(self, number: int, folder: Path, task: dict[str, Any]):
        """folder: for what they complain of; task: what `headway.preparation.worker` is told first."""
        self.free: SimpleQueue[_Worker] = SimpleQueue()
        self.all = [_Worker(folder / f"worker-{one}.log", task) for one in range(number)]
        for one in self.all:
            self.free.put(one)

    def encoded(self, examples: Iterable[Example], codecs: Codecs) -> Iterator[Chunk]:
        """As `encoded_in_chunks`; few chunks are ahead of the one that is handed on. Raises DataError of an example."""
        waiting: deque[tuple[list[Example], Future[Encoded]]] = deque()
        with ThreadPoolExecutor(len(self.all)) as threads:
            try:
                for chunk in _chunks(examples):
                    waiting.append((chunk, threads.submit(self._one, chunk)))
                    if len(waiting) >= 2 * len(self.all):
                        yield self._handed_on(waiting, codecs)
                while waiting:
                    yield self._handed_on(waiting, codecs)
            finally:
                for _, future in waiting:
                    future.cancel()

    def _one(self, chunk: Sequence[Example]) -> Encoded:
        worker = self.free.get()
        try:
            return worker.encode(chunk)
        finally:
            self.free.put(worker)

    def _handed_on(self, waiting: deque[tuple[list[Example], "Future[Encoded]"]], codecs: Codecs) -> Chunk:
        """The first that waits; word forms get the numbers that they would have got here."""
        chunk, future = waiting.popleft()
        encoded = future.result()
        if isinstance(encoded, _WithForms):
            assert isinstance(codecs.source, SourceText) and codecs.source.forms is not None
            assert isinstance(encoded.sources, Rows)
            number = codecs.source.forms.number
            table = np.array([number(word) for word in encoded.words], np.int32)
            encoded.sources = Rows(table[encoded.sources.values], encoded.sources.starts)
        return chunk, encoded

    def close(self) -> None:
        """End the processes."""
        for worker in self.all:
            worker.close()


class _WithForms(Encoded):
    """Rows whose numbers are those of words in a list of their own."""

    words: Sequence[str] = ()


class _Worker:
    """One process."""

    def __init__(self, log: Path, task: dict[str, Any]):
        self.log = log
        command = [sys.executable, "-m", "headway.preparation.worker"]
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for whoever started it, who ends it
            )
        self._tell(task)

    def _tell(self, value: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(value).encode() + b"\n")
        self.process.stdin.flush()

    def encode(self, chunk: Sequence[Example]) -> Encoded:
        """The rows of a chunk. Raises DataError as `encode` does, and HeadwayError where the process has ended."""
        assert self.process.stdout is not None
        try:
            self._tell([[one.source, one.target, str(one.where.file), one.where.line] for one in chunk])
            head = json.loads(self.process.stdout.readline())
            sizes = head.get("sizes", {})
            arrays = {name: self._array(kind, sizes[name]) for name, kind in ARRAYS.items() if name in sizes}
        except (OSError, ValueError) as error:
            raise HeadwayError(f"a process that encodes ended: {self._why()}") from error
        if "problem" in head:
            raise DataError(Where(Path(head["file"]), head["line"]), head["problem"])
        windows = [Window(*row) for row in arrays["windows"].reshape(-1, 5).tolist()]
        targets: Any = Rows(arrays["targets"], arrays["target_starts"])
        if head["numbers"]:
            targets = arrays["numbers"].tolist()
        kind = Encoded if head["words"] is None else _WithForms
        found = kind(
            windows,
            Rows(arrays["sources"], arrays["source_starts"]),
            targets,
            arrays["costs"],
            [chunk[number] for number in head["cut"]],
        )
        if isinstance(found, _WithForms):
            found.words = head["words"]
        return found

    def _array(self, dtype: str, count: int) -> Any:
        assert self.process.stdout is not None
        size = count * np.dtype(dtype).itemsize
        raw = self.process.stdout.read(size)
        if len(raw) != size:
            raise ValueError("cut short")
        return np.frombuffer(raw, dtype)

    def _why(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self.process.poll()}"

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
