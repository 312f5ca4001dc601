"""The training part as often as it is wanted, one example at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from headway.batch import Example
from headway.data.encoding import Codecs
from headway.data.loading import DataSet, source_place
from headway.errors import DataError


@dataclass(frozen=True)
class Stream(Iterable[Example]):
    """The examples that are learned from, in the order of the files, read anew every time."""

    data: DataSet
    task: str

    def __iter__(self) -> Iterator[Example]:
        return one_target_each(self.data.read(self.data.parts.part("train")), self.task)


@dataclass(frozen=True)
class Side(Iterable[Any]):
    """The sources or the targets of a stream."""

    stream: Stream
    name: str

    def __iter__(self) -> Iterator[Any]:
        return (getattr(example, self.name) for example in self.stream)


def one_target_each(examples: Iterable[Example], task: str) -> Iterator[Example]:
    """Several right targets of a source are as many examples to learn from."""
    for example in examples:
        if task != "transduce" or not example.others:
            yield example
        else:
            yield from (replace(example, target=target, others=()) for target in example.references)


def not_empty(found: DataSet) -> Iterator[Example]:
    """The training part one by one. Raises DataError where nothing of it can be used."""
    source, empty = found.parts.part("train"), True
    for example in found.read(source):
        empty = False
        yield example
    if empty:
        raise DataError(source_place(source), f"no line of it can be used for {found.recognized.task}")


def fit(codecs: Codecs, stream: Stream, known: Iterable[str]) -> None:
    """As `Codecs.fit` does with examples in memory, but for lengths, which are known once all is encoded."""
    sources, targets = Side(stream, "source"), Side(stream, "target")
    if "source" not in known:
        codecs.source.fit(sources, targets if codecs.target.shares_vocabulary else ())
    if "target" not in known:
        codecs.target.fit(targets)
