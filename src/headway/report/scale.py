"""From numbers to places in a picture: round ticks, and the words at them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headway.report.wording import Number

Words = Callable[[Number], str]


@dataclass(frozen=True)
class Scale:
    """One direction of a chart: `low` … `high` in the data, `start` … `stop` in the picture."""

    low: Number
    high: Number
    start: Number
    stop: Number

    def __call__(self, value: Number) -> Number:
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)


def step_of(span: Number, most: int) -> Number:
    """The smallest of 1, 2, 5 times a power of ten that parts a span into at most `most` pieces.

    >>> [step_of(x, 5) for x in (1, 7, 0.03, 300)]
    [0.2, 2.0, 0.01, 100.0]
    """
    least = span / most
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def widened(low: Number, high: Number) -> tuple[Number, Number]:
    """A range that has a width: one value gets room on both sides."""
    if high > low:
        return low, high
    room = abs(low) / 10 or 1.0
    return low - room, low + room


def rounded_out(low: Number, high: Number, most: int = 5) -> tuple[Number, Number]:
    """The range between the round ticks that enclose it."""
    low, high = widened(low, high)
    step = step_of(high - low, most)
    return _times(math.floor(low / step + 1e-9), step), _times(math.ceil(high / step - 1e-9), step)


def ticks(low: Number, high: Number, most: int = 5) -> list[Number]:
    """The round numbers inside a range.

    >>> ticks(0.12, 0.93)
    [0.2, 0.4, 0.6, 0.8]
    """
    step = step_of(high - low, most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [_times(number, step) for number in range(first, last + 1)]


def words_for(values: list[Number], percent: bool = False) -> Words:
    """How to write ticks: all with as many digits as the finest of them needs."""
    if percent:
        digits = _digits([100 * value for value in values])
        return lambda value: f"{100 * value + 0.0:.{digits}f}%".replace("-", "−")
    largest = max(map(abs, values), default=0)
    if 0 < largest < 1e-3:
        digits = int(any(abs(float(f"{value:.0e}") - value) > 1e-6 * largest for value in values))
        return lambda value: f"{value:.{digits}e}".replace("e-0", "e-").replace("-", "−") if value else "0"
    if largest >= 1e5:
        return lambda value: (
            f"{value / 1e3:,.{_digits([v / 1e3 for v in values])}f}k".replace("-", "−") if value else "0"
        )
    digits = _digits(values)
    return lambda value: f"{value:,.{digits}f}".replace("-", "−") if value else "0"


def _digits(values: list[Number]) -> int:
    """Decimals that tell these numbers apart."""
    for digits in range(6):
        if all(abs(round(value, digits) - value) < 10**-9 + 1e-9 * abs(value) for value in values):
            return digits
    return 6


def _times(number: int, step: Number) -> Number:
    """A multiple without the dust of binary fractions."""
    return round(number * step, max(0, 2 - math.floor(math.log10(step))))


def shades_of(values: Sequence[Sequence[Number]]) -> list[list[int]]:
    """Amounts from 0 up as shades: 0 for nothing, then 1 … 7, evenly up to the largest of them."""
    top = max((value for row in values for value in row), default=0) or 1
    return [[0 if value <= 0 else min(7, 1 + int(7 * value / top)) for value in row] for row in values]
