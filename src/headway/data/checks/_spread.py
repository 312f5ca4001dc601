"""How numbers are spread, of as many as there are: counted by value, so that memory does not grow with the rows."""

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

BARS = "▁▂▃▄▅▆▇█"
WIDE = 16
"""Bars of a small histogram."""


class Spread:
    """Whole numbers, counted."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, number: int) -> None:
        self.counts[number] += 1

    def __len__(self) -> int:
        return self.counts.total()

    @property
    def total(self) -> int:
        """The sum of all."""
        return sum(number * count for number, count in self.counts.items())

    def quantile(self, share: float) -> int:
        """The smallest number that this share of all does not exceed; 0 of none."""
        ordered = sorted(self.counts)
        below = accumulate(self.counts[number] for number in ordered)
        wanted = share * len(self)
        return next((number for number, count in zip(ordered, below) if count >= wanted), 0)

    def above(self, limit: int) -> int:
        """How many are larger."""
        return sum(count for number, count in self.counts.items() if number > limit)

    def picture(self, low: int, high: int) -> str:
        """A small histogram between two numbers, what is above in its last bar; nothing that occurs has no bar."""
        bars = [0] * min(WIDE, max(1, high - low + 1))
        for number, count in self.counts.items():
            place = (number - low) * len(bars) // max(1, high - low + 1)
            bars[min(max(place, 0), len(bars) - 1)] += count
        highest = max(bars)
        return "".join(BARS[max(1, round(count / highest * 8)) - 1] if count else " " for count in bars)


def figures(spread: Spread, low: int, high: int) -> Iterator[int | str]:
    """Least, median, 95 of 100, most, and a picture: the cells of a table."""
    yield from (spread.quantile(share) for share in (0.0, 0.5, 0.95, 1.0))
    yield spread.picture(low, high)
