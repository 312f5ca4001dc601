"""What goes in, as rows for the input of the same name.  One file a kind: text, sound, graph, vectors.

A source codec stands between what a reader gives and what an input collates: it opens the raw value, is fitted on the
training part, and turns every source into a row whose length is its number of elements.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from headway.batch import Example, Part
from headway.data.settings import DataSettings
from headway.settings import Branch, Room


@runtime_checkable
class SourceRows(Protocol):
    """The rows of a part of a data set, each as long as it has elements."""

    @property
    def lengths(self) -> NDArray[np.int64]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, i: int) -> Any: ...


class SourceCodec:
    """Built from the settings of the data and of the input, and, once fitted, from its state."""

    asked: ClassVar[str] = "FILE"
    "What stands behind `headway predict RUN` to ask about one."
    in_windows: ClassVar[bool] = True
    "Whether a long source can be read in pieces whose answers are put together."

    @classmethod
    def made(cls, data: DataSettings, settings: Branch, state: Mapping[str, Any] | None = None) -> "SourceCodec":
        """settings: those of the input of the same name; state: what `state()` gave, without it it must be fitted."""
        raise NotImplementedError

    @classmethod
    def recognizes(cls, example: Example) -> bool:
        """Whether what a reader gave is a source of this kind, where the user does not say."""
        return False

    @classmethod
    def opened(cls, example: Example, data: DataSettings) -> Example:
        """The example with the source as this kind reads it: a path becomes a sound, a SMILES a graph.

        Raises DataError with file and line.
        """
        return example

    @property
    def labelled(self) -> str | None:
        """Why no label can be given to every element; None where it can."""
        return None

    @property
    def sizes(self) -> Any:
        """What the input is told about the data."""
        raise NotImplementedError

    @property
    def told(self) -> str:
        """What was fitted, in a few words, for the lines that begin a training."""
        raise NotImplementedError

    def fit(self, sources: Iterable[Any], together: Iterable[Any] = ()) -> None:
        """Choose what there is from the training part; `together` are targets that share the vocabulary."""

    def elements(self, source: Any) -> tuple[str, ...]:
        """The elements of a source, as a person reads them."""
        raise NotImplementedError

    def encode_all(self, sources: Sequence[Any]) -> list[Any]:
        """One row each, as long as the source has elements."""
        raise NotImplementedError

    def lengths(self, sources: Sequence[Any]) -> list[int]:
        """How many elements each source has: those that the encoder sees."""
        return list(map(len, self.encode_all(sources)))

    def piece(self, row: Any, start: int, stop: int) -> Any:
        """The elements start … stop of a row."""
        return row[start:stop]

    def rows(self, pieces: Sequence[Any]) -> SourceRows:
        """Rows of a part kept together."""
        raise NotImplementedError

    def collate(self, rows: Sequence[Any]) -> Part:
        """Rows of one batch as tensors."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Called between the chunks of a stream: what was remembered of single sources may be forgotten."""

    def state(self) -> dict[str, Any]:
        """What `fit` chose, as JSON."""
        raise NotImplementedError


SOURCES = Room(__name__, SourceCodec, "source")


def kind_of(examples: Sequence[Example]) -> str:
    """The kind of source that these examples have: the one that recognizes them all, text where none does."""
    for name in SOURCES.names():
        if examples and all(SOURCES.part(name).recognizes(example) for example in examples):
            return name
    return "text"
