"""Examples as rows of numbers, ready for batches; what is too long is cut here, counted, and can be joined."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headway.batch import Batch, Example
from headway.data.codecs import Tags, TargetCodec
from headway.data.settings import DataSettings
from headway.data.sources import SourceCodec, SourceRows
from headway.errors import DataError, UsageError
from headway.rows import Rows
from headway.tasks import Task


class Window(NamedTuple):
    """A piece of an example: elements start … stop are read, and keep … until of them are answered for."""

    example: int
    start: int
    stop: int
    keep: int
    until: int


@dataclass(frozen=True)
class Codecs:
    """Both sides of a data set: what the run folder keeps beside the weights."""

    source: SourceCodec
    target: TargetCodec

    def __post_init__(self) -> None:
        if isinstance(self.target, Tags) and (reason := self.source.labelled) is not None:
            raise UsageError(reason)

    def fit(self, examples: Sequence[Example], known: Collection[str] = ()) -> None:
        """Choose vocabularies and labels from the training part; the sides in `known` are what they are already."""
        sources, targets = [example.source for example in examples], [example.target for example in examples]
        if "source" not in known:
            self.source.fit(sources, targets if self.target.shares_vocabulary else ())
        if "target" not in known:
            self.target.fit(targets)
        self.target.fit_lengths(self.source, sources, targets)

    @property
    def copied(self) -> bool:
        """Whether the source's rows are of the tokens that the target is written in."""
        return self.target.shares_vocabulary and getattr(self.source, "forms", None) is None

    def state(self) -> dict[str, Any]:
        """What was fitted, as JSON."""
        return {"source": self.source.state(), "target": self.target.state()}


@dataclass
class Encoded:
    """A part of a data set as rows of numbers.

    windows    which piece of which example each row is
    sources    what the source codec made of each
    targets    the encoded target of each row; empty where nothing is known
    costs      padded tokens that a row takes in a batch
    cut        examples that were longer than allowed
    """

    windows: Sequence[Window]
    sources: SourceRows
    targets: Sequence[Any] | Rows
    costs: NDArray[np.int64]
    cut: list[Example] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def shortened(self) -> int:
        """Examples that were longer than allowed."""
        return len(self.cut)

    @property
    def elements(self) -> int:
        """Elements of all sources together."""
        return int(self.sources.lengths.sum())

    def batch(self, rows: NDArray[np.int64], source: SourceCodec, task: Task) -> Batch:
        """Some rows as one batch."""
        numbers = rows.tolist()
        target = task.collate([self.targets[i] for i in numbers]) if len(self.targets) else {}
        return Batch(source.collate([self.sources[i] for i in numbers]), target, tuple(numbers))


def encode(examples: Sequence[Example], codecs: Codecs, settings: DataSettings, with_targets: bool = True) -> Encoded:
    """Rows of numbers of these examples. Raises DataError for one that is too long, where that is refused."""
    rows = codecs.source.encode_all([example.source for example in examples])
    known = with_targets and all(example.target is not None for example in examples)
    targets = codecs.target.encode_all([example.target for example in examples]) if known else []
    windows: list[Window] = []
    cut: list[Example] = []
    for number, (example, row) in enumerate(zip(examples, rows, strict=True)):
        longest = max(len(row), codecs.target.length(targets[number]) if known else 0)
        if longest > settings.max_length:
            if settings.over_long == "refuse":
                raise too_long(example, longest, settings.max_length)
            cut.append(example)
        windows += windows_of(number, len(row), settings.max_length, settings.over_long == "window")
    sources = codecs.source.rows([codecs.source.piece(rows[w.example], w.start, w.stop) for w in windows])
    pieces = [codecs.target.piece(targets[w.example], w.start, w.stop, settings.max_length) for w in windows if known]
    written = np.array([codecs.target.length(piece) for piece in pieces], np.int64)
    costs = np.maximum(sources.lengths, written + 1) if known else np.maximum(sources.lengths, 1)
    return Encoded(windows, sources, pieces, costs, cut)


def windows_of(example: int, length: int, longest: int, slide: bool) -> list[Window]:
    """The pieces that a row of this length is read in.

    With `slide`, neighbours overlap by a quarter, and every element is answered for where it has the most surroundings.
    """
    if length <= longest or not slide:
        stop = min(length, longest)
        return [Window(example, 0, stop, 0, stop)]
    overlap = longest // 4
    step = longest - overlap
    starts = [*range(0, length - longest, step), length - longest]
    bounds = [0, *(start + overlap // 2 for start in starts[1:]), length]
    return [Window(example, start, start + longest, bounds[i], bounds[i + 1]) for i, start in enumerate(starts)]


def too_long(example: Example, length: int, longest: int) -> DataError:
    """The complaint about an example that is longer than allowed."""
    return DataError(
        example.where,
        f"{length:,} elements, and data.max_length is {longest:,}; raise it, or set data.over_long truncate or window",
    )


def check_windows(task: str, settings: DataSettings) -> None:
    """Refuse windows where their answers cannot be put together. Raises UsageError."""
    if settings.over_long == "window" and task == "transduce":
        raise UsageError(
            "data.over_long window: the answers of windows can be put together for tag, classify and regress, and not "
            "where a new sequence is written; set it to truncate or refuse, or raise data.max_length"
        )
