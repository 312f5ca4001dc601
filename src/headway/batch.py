"""What flows through headway: examples in, batches through the model, answers out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from torch import Tensor, device

from headway.errors import Where

PAD, UNKNOWN, BEGIN, END = range(4)
"""The first four ids of every vocabulary. PAD fills rows and is the blank of CTC; BEGIN and END frame a sequence."""
SPECIALS = ("<pad>", "<unk>", "<begin>", "<end>")


NOWHERE = Where("input")


class Value:
    """A source that is no text: a sound, a graph, vectors. `str` gives it as a person reads it."""

    def __len__(self) -> int:
        """Elements."""
        raise NotImplementedError

    def content(self) -> str:
        """A hash of what it holds, and not of where it lies: equal for equal values, on every machine."""
        raise NotImplementedError

    def identity(self) -> str:
        """Equal where two are one thing, however it is written down; `content` where nothing more is known."""
        return self.content()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.content()})"


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a data set as a reader gives it: plain values, and the place they came from.

    source     a text, its words, or a Value
    target     a text, one label per element, a label, a set of labels, a number; None where it is not known
    others     further right targets (references) of the same source
    """

    source: Any
    target: Any = None
    where: Where = NOWHERE
    others: tuple[Any, ...] = ()

    @property
    def references(self) -> tuple[Any, ...]:
        """Every right target."""
        return (self.target, *self.others)


Part = dict[str, Tensor]
"""Named tensors of one side of a batch; which names, the input or the task that collates them says."""


@dataclass(frozen=True)
class Batch:
    """Rows that pass through the model together.

    input      what the input's `collate` made
    target     what the task's `collate` made; empty where nothing is known
    rows       positions of the rows in the data, so that answers find their way back
    progress   the share of training that is done, for losses that change with it
    """

    input: Part
    target: Part = field(default_factory=dict)
    rows: tuple[int, ...] = ()
    progress: float = 1.0

    def __len__(self) -> int:
        return len(self.rows)

    def to(self, where: device) -> "Batch":
        """The same batch on another device."""

        def move(part: Part) -> Part:
            return {name: tensor.to(where, non_blocking=True) for name, tensor in part.items()}

        return replace(self, input=move(self.input), target=move(self.target))


@dataclass(frozen=True)
class Memory:
    """What the encoder gives to a task.

    x          (B, S, D) one vector per element
    keys       (B, S) True where an element is real and not padding; None where all are
    """

    x: Tensor
    keys: Tensor | None = None

    def select(self, rows: Tensor) -> "Memory":
        """Some rows, in the order asked."""
        return Memory(self.x.index_select(0, rows), None if self.keys is None else self.keys.index_select(0, rows))


@dataclass(frozen=True)
class Loss:
    """A loss as a sum and a count, so that parts of a batch add up to exactly the loss of the whole.

    total      () summed over what is counted (elements, tokens, rows)
    count      how many were counted
    parts      further named (sum, count) pairs, for the log only
    """

    total: Tensor
    count: float
    parts: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def mean(self) -> Tensor:
        return self.total / max(self.count, 1)


# ----------------------------------------------------------------------------------------------------------- answers


@dataclass(frozen=True, slots=True)
class TagAnswer:
    """N -> N: one label for every element. `scores` are the probabilities of the labels given, where asked for."""

    elements: tuple[str, ...]
    labels: tuple[str, ...]
    scores: tuple[float, ...] | None = None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(zip(self.elements, self.labels, strict=True))

    def __str__(self) -> str:
        return " ".join(f"{element}/{label}" for element, label in self)


@dataclass(frozen=True, slots=True)
class ClassifyAnswer:
    """N -> 1: a label for the whole, or several where the run was trained on several.

    `score` is the probability of the label (of the least probable one, where there are several), `scores` of every one.
    """

    labels: tuple[str, ...]
    score: float
    scores: Mapping[str, float] | None = None

    @property
    def label(self) -> str:
        """The label; with several, joined by commas; empty where none applies."""
        return ",".join(self.labels)

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True)
class RegressAnswer:
    """N -> 1: a number for the whole, in the unit of the training data."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:.6g}"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision on the way to a new sequence, for people: a `search.Choice` with its tokens as words.

    what      token, end, blank, repeat, node, draft, accepted, corrected, single, length, …
    where     the position, frame or node that it is about, from 0
    taken     the piece that was written, or the length
    others    (piece or length, log probability) of the next best
    call      in which pass of a decoder it was made, from 0
    """

    what: str
    where: int
    taken: str | int
    log_p: float = 0.0
    others: tuple[tuple[str | int, float], ...] = ()
    call: int = 0


@dataclass(frozen=True, slots=True)
class TransduceAnswer:
    """N -> N': a new sequence.

    score          sum of the log probabilities of its tokens, END included; None where the mode gives none
    tokens         the pieces that were written
    alternatives   further hypotheses, best first, where an n-best list was asked for
    alignment      for every token the most attended position of the source and its weight, where asked for
    calls          passes through decoders that it took
    trace          why it was written so, where asked for
    """

    text: str
    tokens: tuple[str, ...] = ()
    score: float | None = None
    alternatives: tuple["TransduceAnswer", ...] = ()
    alignment: Sequence[tuple[int, float]] | None = None
    calls: int = field(default=0, compare=False)
    trace: tuple[Decision, ...] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.text


Answer = TagAnswer | ClassifyAnswer | RegressAnswer | TransduceAnswer


def as_json(example: Example, answer: Answer) -> dict[str, Any]:
    """An answer with its source, for machines; what was not asked for is left out."""
    first = {"label": answer.label} if isinstance(answer, ClassifyAnswer) else {}
    return {"source": plain(example.source), **first, **_told(answer)}


def _told(answer: Answer) -> dict[str, Any]:
    told = {name: value for name, value in asdict(answer).items() if value is not None and name != "alternatives"}
    if isinstance(answer, TransduceAnswer) and answer.trace is None:
        del told["calls"]
    if isinstance(answer, TransduceAnswer) and answer.alternatives:
        told["alternatives"] = [_told(other) for other in answer.alternatives]
    return told


def plain(source: Any) -> Any:
    """A source as JSON can hold it."""
    return str(source) if isinstance(source, Value) else source
