"""What is to be said of data before anything is trained on them.  One file a check.

A check sees every row once, keeps little of it, and says in the end what it found: findings, each with a severity,
files and lines and what to do, and tables for people. `run` leads all rows of all parts past all checks.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

from headway.batch import Example, Value
from headway.data.checks._prints import Prints
from headway.data.tokenizers import Tokenizer
from headway.data.tokenizers.word import Word
from headway.errors import Where
from headway.settings import Room

Severity = Literal["ok", "note", "warning", "error"]
SHOWN = 5
"""Places that a finding names; what it counts has no limit."""


class Place(NamedTuple):
    """Where something was seen: a row, what there is to see, and the row that it is like, where there is one."""

    where: Where
    shown: str = ""
    like: Where | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that is to be said.

    check     the check that found it
    severity  ok, note (nothing may be wrong), warning (figures or answers will suffer), error (training would stop)
    what      a sentence
    count     how often
    places    the first of them
    advice    what to do
    """

    check: str
    severity: Severity
    what: str
    count: int = 0
    places: tuple[Place, ...] = ()
    advice: str = ""


@dataclass(frozen=True)
class Table:
    """Figures for people: plain data, which the terminal draws."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]


@dataclass(frozen=True)
class Setup:
    """What a check is told.

    task, several, kind    the question, and what goes in
    max_length             elements that a row may have
    over_long              what happens to a longer one
    source, target         how texts are cut; None where that side is no text
    prints                 of all rows seen so far; filled by who leads the rows past the checks
    """

    task: str
    several: bool
    kind: str
    max_length: int
    over_long: str
    source: Tokenizer | None
    target: Tokenizer | None
    prints: Prints = field(default_factory=Prints)


class Row:
    """An example as checks see it."""

    def __init__(self, part: str, example: Example, setup: Setup):
        self.part, self.example, self.setup = part, example, setup

    @property
    def where(self) -> Where:
        return self.example.where

    @cached_property
    def source(self) -> str:
        """The text that goes in; empty where what goes in is no text."""
        return text_of(self.example.source)

    @cached_property
    def target(self) -> str:
        """The text of a new sequence; empty where something else is asked."""
        return text_of(self.example.target) if self.setup.task == "transduce" else ""

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(text for text in (self.source, self.target) if text)

    @cached_property
    def elements(self) -> Sequence[str]:
        """What a text is cut into, as the vocabulary knows it."""
        return cut_by(self.setup.source, self.example.source)

    @cached_property
    def written(self) -> Sequence[str]:
        """The same of a new sequence."""
        return cut_by(self.setup.target, self.example.target)

    @property
    def length(self) -> int:
        """Elements that go in."""
        source = self.example.source
        return len(source) if isinstance(source, Value) else len(self.elements)


class Check:
    """Made anew for each data set."""

    tasks: ClassVar[tuple[str, ...]] = ()
    "The questions that it is for; all where none are named."
    kinds: ClassVar[tuple[str, ...]] = ()
    "What must go in, likewise."
    fast: ClassVar[bool] = False
    "Whether it takes so little that every training runs it."

    def __init__(self, setup: Setup):
        self.setup = setup

    @property
    def name(self) -> str:
        """The name of its file."""
        return type(self).__module__.rpartition(".")[2]

    def see(self, row: Row) -> None:
        """Look at a row; those of the training part come first."""

    def tables(self) -> Iterator[Table]:
        """What is to be shown, when all rows were seen."""
        yield from ()

    def findings(self) -> Iterator[Finding]:
        """What is to be said, when all rows were seen."""
        yield from ()

    def found(self, severity: Severity, what: str, seen: "Seen | None" = None, advice: str = "") -> Finding:
        """A finding of this check."""
        return Finding(self.name, severity, what, seen.count if seen else 0, tuple(seen.places) if seen else (), advice)


CHECKS = Room(__name__, Check, "check")


@dataclass
class Seen:
    """How often something was seen, and where at first."""

    count: int = 0
    places: list[Place] = field(default_factory=list)
    by_part: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row, shown: str = "", times: int = 1) -> None:
        self.count += times
        self.by_part[row.part] += times
        if len(self.places) < SHOWN and (not self.places or self.places[-1].where != row.where):
            self.places.append(Place(row.where, shown))


def checks_for(setup: Setup, fast: bool = False) -> list[Check]:
    """New checks, all that are for such data, or the fast ones of them."""
    parts = [CHECKS.part(name) for name in CHECKS.names()]
    return [
        part(setup)
        for part in parts
        if (not part.tasks or setup.task in part.tasks)
        and (not part.kinds or setup.kind in part.kinds)
        and (part.fast or not fast)
    ]


def lead(
    checks: Sequence[Check],
    setup: Setup,
    part: str,
    examples: Iterable[Example],
    heard: Callable[[int], None] = lambda count: None,
) -> int:
    """Lead the rows of a part past the checks; returns how many there were. `heard` is told now and then how many."""
    count = 0
    for count, example in enumerate(examples, 1):
        row = Row(part, example, setup)
        setup.prints.add(part, example)
        for check in checks:
            check.see(row)
        if count % 1_000 == 0:
            heard(count)
    return count


def text_of(value: Any) -> str:
    """A text, or the words of one with blanks between; empty for anything else."""
    return value if isinstance(value, str) else " ".join(map(str, value)) if isinstance(value, tuple) else ""


def cut_by(tokenizer: Tokenizer | None, text: Any) -> Sequence[str]:
    """The elements of a text; none of what is no text."""
    if tokenizer is None or not isinstance(text, str | tuple):
        return ()
    found = tokenizer.elements(text)
    return [tokenizer.known_as(one) for one in found] if isinstance(tokenizer, Word) else found


def counted(count: int, what: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")
