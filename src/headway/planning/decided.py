"""A plan: everything that is decided before the first step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from headway.batch import Example
from headway.data.encoding import Codecs, Encoded, encode
from headway.data.index import Index, fingerprint
from headway.data.loading import DataSet
from headway.data.survey import Survey, survey
from headway.errors import DataError, Where
from headway.run import Run


@dataclass
class Plan:
    """Everything that is decided before the first step.

    train      the examples to learn from; of prepared data those that are there as text
    said       sentences for the user: what was recognized and chosen
    """

    run: Run
    origins: dict[str, str]
    data: DataSet
    train: list[Example]
    survey: Survey
    said: list[str] = field(default_factory=list)

    @property
    def index(self) -> Index | None:
        """Of data that were prepared: what is learned from, as numbers."""
        return self.data.index

    @property
    def count(self) -> int:
        """Examples to learn from."""
        return len(self.train) if self.index is None else self.index.count

    @property
    def fingerprint(self) -> str:
        """A hash of what is learned from."""
        return fingerprint(self.train) if self.index is None else self.index.fingerprint

    def encoded(self, codecs: Codecs) -> Encoded:
        """What is learned from, as rows of numbers. Raises DataError for an example that is too long, and RunError."""
        return encode(self.train, codecs, self.run.data) if self.index is None else self.index.encoded(codecs)

    def place(self, example: int) -> Where:
        """Where an example to learn from came from."""
        return self.train[example].where if self.index is None else self.index.place(example)

    def example(self, number: int) -> Example:
        """An example to learn from; of prepared data, which are numbers, its place alone."""
        return self.train[number] if self.index is None else Example(None, where=self.place(number))


def surveyed(found: DataSet, examples: Iterable[Example]) -> Survey:
    """What these examples of a data set look like."""
    recognized = found.recognized
    return survey(examples, recognized.task, recognized.several, found.kind)  # type: ignore[arg-type]


def skipped(data: DataSet, before: int = 0) -> list[str]:
    """What is to be said of the lines that were left out, beyond so many that are known."""
    return left_out(data.complaints.taken[before:], "data.on_bad skip")


def left_out(taken: Sequence[DataError], why: str) -> list[str]:
    """How many lines were left out, and the first of them; nothing where none were."""
    if not taken:
        return []
    shown = "\n".join(f"  {error}" for error in taken[:5])
    rest = f"\n  and {len(taken) - 5:,} more" if len(taken) > 5 else ""
    lines = "line was" if len(taken) == 1 else "lines were"
    return [f"{len(taken):,} {lines} skipped ({why}):\n{shown}{rest}"]
