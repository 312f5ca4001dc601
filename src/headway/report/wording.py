"""Numbers and names as people read them."""

import math

from headway.metrics import METRICS

Number = int | float
"""What is counted is whole, what is measured is not; both are shown."""

NAMES = {
    "bleu": "BLEU",
    "chrf": "chrF",
    "mae": "mean absolute error",
    "r2": "R²",
    "rmse": "root mean squared error",
}
"""Metrics whose file name does not read as words."""
OF_A_HUNDRED = frozenset({"bleu", "chrf"})


def metric_name(name: str) -> str:
    """`macro_f1` as macro F1."""
    return NAMES.get(name, name.rpartition(".")[2].replace("_", " ").replace("f1", "F1"))


def is_percent(name: str) -> bool:
    """Whether a metric is a share that is read as a percentage."""
    return name in METRICS.names() and METRICS.part(name).percent


def is_better_higher(name: str) -> bool:
    """Whether more is better; a metric that headway does not know is taken to be one."""
    return name not in METRICS.names() or METRICS.part(name).higher_is_better


def measured(name: str, value: Number) -> str:
    """A metric's number: those that go from 0 to 100 with two digits, as they are published."""
    if name in OF_A_HUNDRED and math.isfinite(value):
        return f"{value:.2f}"
    return figure(value, is_percent(name))


def figure(value: Number, percent: bool = False) -> str:
    """A number: shares in percent with two digits, others with four that count."""
    if not math.isfinite(value):
        return "–"
    return signed(f"{value:.2%}" if percent else significant(value, trim=False))


def significant(value: Number, digits: int = 4, trim: bool = True) -> str:
    """A number with so many digits that count, written out where that is short; `trim` leaves out zeros at the end.

    >>> [significant(x) for x in (12345.6, 0.00012346, 0.5)]
    ['12,346', '0.0001235', '0.5']
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size > 14:
        return f"{value:.{digits - 1}g}"
    shown = f"{value:,.{max(0, digits - 1 - size)}f}"
    return shown.rstrip("0").rstrip(".") if trim and "." in shown else shown


def signed(number: str) -> str:
    """A number with a true minus sign."""
    return number.replace("-", "−")


def large(value: Number) -> str:
    """A large count in a few characters.

    >>> [large(x) for x in (950, 8719234, 1.2e9)]
    ['950', '8.72 million', '1.20 billion']
    """
    for size, name in ((1e9, "billion"), (1e6, "million")):
        if value >= size:
            part = value / size
            return f"{part:,.{2 if part < 10 else 1 if part < 100 else 0}f} {name}"
    return f"{value:,.0f}"


def small_count(value: int) -> str:
    """A count for a narrow cell: at most four characters up to a billion."""
    for size, sign in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if value >= size:
            unit = 1000 if sign == "k" else size
            return f"{value / unit:.1f}{sign}" if value < 10 * unit else f"{value // unit}{sign}"
    return str(value)


def duration(seconds: Number) -> str:
    """A time in its two largest units.

    >>> [duration(x) for x in (0.5, 66.1, 3723, 180000)]
    ['0.5 s', '1 min 6 s', '1 h 2 min', '2 d 2 h']
    """
    if seconds < 10:
        return f"{significant(seconds, 2)} s"
    whole = round(seconds)
    for size, name, below, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {name}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 example`, `2 examples`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
