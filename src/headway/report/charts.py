"""Charts as plain SVG: lines over steps, dots against a diagonal, a bar in a table. Colours are in report.css."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from headway.report.markup import Html, join, tag
from headway.report.scale import Scale, Words, rounded_out, ticks, widened, words_for
from headway.report.wording import Number, figure

DIGIT = 8.6
"""Width of a digit at the size that letters have on a telephone, where a chart is small and its letters are not."""


@dataclass(frozen=True)
class Size:
    """Of a picture, in its own units; it is scaled to the width there is."""

    width: int = 480
    height: int = 250
    ticks: int = 5


LARGE = Size()
SMALL = Size(320, 190, 4)
"""A picture of which three stand side by side."""
SQUARE = Size(480, 440)
TOP, RIGHT, BOTTOM, LEFT = 14, 14, 30, 50
"""Room around the field; more to the left where numbers are long."""


@dataclass(frozen=True)
class Line:
    """A curve; `look` is its class in the style sheet: `quiet` is without dots."""

    name: str
    points: Sequence[tuple[Number, Number]]
    look: str = "main"


@dataclass(frozen=True)
class Frame:
    """The field of a chart: both scales, and the words at their ticks."""

    x: Scale
    y: Scale
    x_words: Words
    y_words: Words
    size: Size
    percent: bool = False

    def place(self, x: Number, y: Number) -> str:
        """A point of the data in the picture, as paths write it."""
        return f"{_unit(self.x(x))} {_unit(self.y(y))}"


def frame(
    xs: Sequence[Number],
    ys: Sequence[Number],
    size: Size,
    percent: bool = False,
    same: bool = False,
    zero: bool = False,
) -> Frame:
    """The field that holds all points.

    percent   y is a share, written in percent
    same      both directions have the same range, and x is rounded out like y
    zero      the range of y begins at 0
    """
    if same:
        xs = ys = [*xs, *ys]
    low, high = rounded_out(min([*ys, 0.0] if zero else ys), max(ys), size.ticks)
    y_ticks = ticks(low, high, size.ticks)
    y_words = words_for(y_ticks, percent)
    x_range = (low, high) if same else widened(min(xs), max(xs))
    left = max(LEFT, 10 + DIGIT * max(len(y_words(value)) for value in y_ticks))
    x = Scale(*x_range, left, size.width - RIGHT)
    y = Scale(low, high, size.height - BOTTOM, TOP)
    return Frame(x, y, words_for(ticks(*x_range, size.ticks)), y_words, size, percent)


def line_chart(
    lines: Sequence[Line],
    alternative: str,
    *,
    size: Size = LARGE,
    percent: bool = False,
    zero: bool = False,
    kept: Number | None = None,
    best: tuple[Number, Number] | None = None,
    unit: str = "step",
    doubling: bool = False,
) -> Html:
    """Curves over steps.

    alternative   what the chart shows, in words
    kept          the step at which a vertical line stands
    best          the point that is ringed
    doubling      x is the logarithm to base 2 of what is written at the axis
    """
    lines = [line for line in lines if line.points]
    points = [point for line in lines for point in line.points]
    field = frame([0.0, *(x for x, _ in points)], [y for _, y in points], size, percent, zero=zero)
    if doubling:
        field = replace(field, x_words=lambda x: f"{2**x:,.0f}")
    ring = None
    if best is not None:
        ring = tag("circle", class_="best", cx=_unit(field.x(best[0])), cy=_unit(field.y(best[1])), r=5)
    drawn = [_curve(field, line) for line in lines]
    strips = _hover(field, lines, unit, doubling)
    return _picture(size, alternative, _grid(field, unit), _kept(field, kept), drawn, ring, strips)


def scatter_chart(points: Sequence[tuple[Number, Number]], alternative: str, x_name: str, y_name: str) -> Html:
    """Dots of (right, given) on equal axes, with the diagonal on which they would lie if every answer were right."""
    field = frame([x for x, _ in points], [y for _, y in points], SQUARE, same=True)
    low, high = field.x.low, field.x.high
    diagonal = tag("path", class_="diagonal", d=f"M{field.place(low, low)}L{field.place(high, high)}")
    dots = tag("path", class_="cloud", d="".join(f"M{field.place(x, y)}h0" for x, y in points))
    names = [
        _text(f"{x_name} →", field.x.stop - 4, field.y.start - 8, "end"),
        _text(f"↑ {y_name}", field.x.start + 6, TOP + 12),
    ]
    return _picture(SQUARE, alternative, _grid(field), diagonal, dots, names)


def map_chart(points: Sequence[tuple[str, Number, Number]], alternative: str) -> Html:
    """Names (name, x, y) at their places in a plane: what is near is alike, and directions mean nothing."""
    field = frame([x for _, x, _ in points], [y for _, _, y in points], SQUARE)
    dots = tag("path", class_="cloud", d="".join(f"M{field.place(x, y)}h0" for _, x, y in points))
    places = _apart([(name, field.x(x), field.y(y) - 6) for name, x, y in points])
    names = [_text(name, field.x(x), at, "middle") for (name, x, _), at in zip(points, places, strict=True)]
    lines = [
        tag("path", class_="grid", d=f"M{field.place(x, y)}V{_unit(at + 2 if at < field.y(y) else at - 9)}")
        for (_, x, y), at in zip(points, places, strict=True)
    ]
    return _picture(SQUARE, alternative, lines, dots, names)


def _apart(names: Sequence[tuple[str, Number, Number]]) -> list[Number]:
    """The heights of names (name, x, y) of which one that would stand on another moves up or down."""
    placed: list[tuple[Number, Number, Number]] = []
    for name, x, y in names:
        half = 0.45 * DIGIT * len(name)
        tried = (y + way * 13 * step for step in range(2 * len(names)) for way in (-1, 1))
        free = (at for at in tried if all(abs(at - b) > 12 or abs(x - a) > half + other for a, b, other in placed))
        placed.append((x, next(free, y), half))
    return [at for _, at, _ in placed]


def heat_map(
    values: Sequence[Sequence[Number]],
    shades: Sequence[Sequence[int]],
    rows: Sequence[str],
    columns: Sequence[str],
    alternative: str,
) -> Html:
    """A table of numbers as squares: shades from 0 (none) to 7, and the number where the pointer rests."""
    letter = 0.8 * DIGIT
    turned = max(map(len, columns), default=0) > 2
    left = 8 + letter * max(map(len, rows), default=0)
    top = 12 + (letter * max(map(len, columns)) if turned else 8 * bool(columns))
    side = (SMALL.width - left) / max(10, *map(len, shades))
    parts = [_text(name, left - 6, top + (i + 0.5) * side + 4, "end") for i, name in enumerate(rows)]
    for j, name in enumerate(columns):
        place = f"translate({_unit(left + (j + 0.5) * side + 4 * turned)} {_unit(top - 6)})"
        anchor, turn = ("start", " rotate(-90)") if turned else ("middle", "")
        parts.append(tag("text", name, transform=place + turn, text_anchor=anchor))
    for i, (numbers, cells) in enumerate(zip(values, shades, strict=True)):
        for j, (number, shade) in enumerate(zip(numbers, cells, strict=True)):
            x, y, size = (_unit(value) for value in (left + j * side, top + i * side, side - 1))
            title = tag("title", f"{rows[i] if rows else i + 1}, {columns[j] if columns else j + 1}: {figure(number)}")
            fill = f"fill:var(--s{shade})" if shade else "fill:var(--wash)"
            parts.append(tag("g", title, tag("rect", x=x, y=y, width=size, height=size, style=fill)))
    return _picture(Size(SMALL.width, round(top + side * len(shades) + 2)), alternative, parts)


def bar(share: Number, mark: Number | None = None, look: str | None = None) -> Html:
    """A bar of this share of its cell, which stands beside its number; `mark` is where a hairline crosses it."""
    width = 100 * min(max(share, 0.0), 1.0)
    line = None
    if mark is not None:
        at = _unit(100 * min(max(mark, 0.0), 1.0))
        line = tag("path", class_="mark", d=f"M{at} 0V10")
    body = tag("rect", x=0, y=2, width=_unit(width), height=6, class_=look)
    return tag("svg", body, line, class_="bar", viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true")


# ------------------------------------------------------------------------------------------------------- the pieces


def _picture(size: Size, alternative: str, *parts: object) -> Html:
    return tag("svg", *parts, role="img", aria_label=alternative, viewBox=f"0 0 {size.width} {size.height}")


def _grid(field: Frame, unit: str = "") -> Html:
    """Hairlines and numbers; the first number of the lower axis bears its unit."""
    found = []
    for value in ticks(field.y.low, field.y.high, field.size.ticks):
        y = field.y(value)
        found.append(tag("path", class_="grid", d=f"M{_unit(field.x.start)} {_unit(y)}H{_unit(field.x.stop)}"))
        words = field.y_words(value)
        found.append(_text(words, field.x.start - 6, y + 4, "end"))
    for number, value in enumerate(ticks(field.x.low, field.x.high, field.size.ticks)):
        x, words = field.x(value), field.x_words(value)
        found.append(tag("path", class_="tick", d=f"M{_unit(x)} {_unit(field.y.start)}v4"))
        if unit and not number:
            found.append(_text(f"{unit} {words}", x + 3.5 * len(words), field.size.height - 8, "end"))
        else:
            found.append(_text(words, x, field.size.height - 8, "middle"))
    return join(found)


def _text(words: str, x: Number, y: Number, anchor: str = "start", look: str | None = None) -> Html:
    return tag("text", words, x=_unit(x), y=_unit(y), text_anchor=anchor, class_=look)


def _curve(field: Frame, line: Line) -> Html:
    path = "L".join(field.place(x, y) for x, y in line.points)
    alone = len(line.points) == 1
    drawn = tag("path", class_=f"line {line.look}", d=f"M{path}" + ("h0" if alone else ""))
    if line.look == "quiet" or len(line.points) > 60:
        return drawn
    dots = tag("path", class_=f"dots {line.look}", d="".join(f"M{field.place(x, y)}h0" for x, y in line.points))
    return join([drawn, dots])


def _kept(field: Frame, kept: Number | None) -> Html | None:
    if kept is None or not field.x.low <= kept <= field.x.high:
        return None
    return tag("path", class_="kept", d=f"M{_unit(field.x(kept))} {TOP}V{_unit(field.y.start)}")


def _hover(field: Frame, lines: Sequence[Line], unit: str, doubling: bool = False) -> Html:
    """Invisible strips, one a step, that tell the values there when the pointer rests on them."""
    told: dict[Number, list[str]] = {}
    for line in lines:
        for x, y in line.points:
            told.setdefault(x, []).append(f"{line.name} {figure(y, field.percent)}")
    steps = sorted(told)
    edges = [field.x.start, *(field.x((a + b) / 2) for a, b in pairwise(steps)), field.x.stop]
    strips = []
    for number, step in enumerate(steps):
        title = tag("title", f"{unit} {2**step if doubling else step:,.0f}: " + ", ".join(told[step]))
        left, right = edges[number], edges[number + 1]
        d = f"M{_unit(left)} {TOP}H{_unit(right)}V{_unit(field.y.start)}H{_unit(left)}z"
        strips.append(tag("g", title, tag("path", d=d)))
    return tag("g", strips, class_="hover")


def _unit(value: Number) -> str:
    """A coordinate with one decimal, as short as it can be."""
    return (
        f"{value:.1f}".removesuffix(".0").replace("-0", "0") if abs(value) < 0.05 else f"{value:.1f}".removesuffix(".0")
    )
