"""What a demonstration shows, as plain data: sentences, claims, tables, pictures; the terminal and a page draw it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from headway.report.charts import Line
from headway.report.scale import shades_of
from headway.report.wording import Number


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed, what was measured, and the bound that the measured number keeps: at most, or at least."""

    text: str
    value: Number
    bound: Number
    least: bool = False

    @property
    def holds(self) -> bool:
        """Whether it was kept; what is no number keeps no bound."""
        return self.value >= self.bound if self.least else self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Number]]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Numbers from 0 up as shades of the largest of them: a name for every row and every column, or for none."""

    title: str
    values: Sequence[Sequence[Number]]
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()

    def shades(self) -> list[list[int]]:
        """0 for nothing, then 1 … 7, evenly up to the largest number."""
        return shades_of(self.values)


@dataclass(frozen=True, slots=True)
class Bars:
    """Amounts from 0 up, with their names."""

    title: str
    values: Sequence[tuple[str, Number]]

    def shares(self) -> list[float]:
        """Of the largest amount."""
        top = max((value for _, value in self.values), default=0) or 1
        return [max(0.0, value / top) for _, value in self.values]


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines over a common lower axis, whose unit is named."""

    title: str
    lines: Sequence[Line]
    unit: str = "step"


@dataclass(frozen=True, slots=True)
class Map:
    """Named points of a plane."""

    title: str
    points: Sequence[tuple[str, Number, Number]]


Shown = str | Claim | Table | HeatMap | Bars | Curves | Map


@dataclass
class Findings:
    """All that a demonstration shows, in the order in which it is read."""

    shown: list[Shown] = field(default_factory=list)

    def show(self, *parts: Shown) -> None:
        """A sentence, a table, pictures."""
        self.shown += parts

    def at_most(self, text: str, value: Number, bound: Number) -> None:
        """Claim that a measured number is not above a bound."""
        self.shown.append(Claim(text, value, bound))

    def at_least(self, text: str, value: Number, bound: Number) -> None:
        """Claim that a measured number is not below a bound."""
        self.shown.append(Claim(text, value, bound, least=True))

    @property
    def claims(self) -> list[Claim]:
        return [part for part in self.shown if isinstance(part, Claim)]

    @property
    def hold(self) -> bool:
        """Whether something is claimed, and all of it was kept."""
        return bool(self.claims) and all(claim.holds for claim in self.claims)
