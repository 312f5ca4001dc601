"""Demonstrations in a terminal: claims, tables, and pictures made of letters."""

from collections.abc import Sequence
from functools import singledispatch
from itertools import groupby

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from headway.lab.demonstrations import Bars, Claim, Curves, HeatMap, Map
from headway.lab.demonstrations import Table as Rows
from headway.report.scale import Scale, rounded_out
from headway.report.wording import significant

SHADES = " ·░░▒▒▓█"
"""Of nothing, and of 1 … 7: they show what colours show, where there are none."""
COLOURS = ("", "grey30", "grey42", "steel_blue", "steel_blue1", "sky_blue2", "light_sky_blue1", "bright_white")
WIDE, HIGH = 64, 14
"""Letters of a chart."""
BAR = 32


@singledispatch
def drawn(part: object) -> RenderableType:
    """A part of what a demonstration shows, as rich prints it."""
    raise TypeError(f"{type(part).__name__} has no picture")


@drawn.register
def _(part: str) -> RenderableType:
    return Text(part + "\n")


def _claims(claims: Sequence[Claim]) -> RenderableType:
    table = Table(
        Column(no_wrap=True), Column(), Column(justify="right"), Column(), box=None, show_header=False, pad_edge=False
    )
    for claim in claims:
        word = Text("PASS", "bold green") if claim.holds else Text("FAIL", "bold red")
        bound = f"{'≥' if claim.least else '≤'} {_number(claim.bound)}"
        table.add_row(word, Text(claim.text), Text(_number(claim.value), "bold"), bound)
    return Padding(table, (0, 0, 1, 0), expand=False)


@drawn.register
def _(part: Rows) -> RenderableType:
    first, *others = part.columns
    table = Table(Column(first), *(Column(name, justify="right") for name in others), box=None, pad_edge=False)
    for row in part.rows:
        table.add_row(*(Text(value if isinstance(value, str) else _number(value)) for value in row))
    return _titled(part.title, table)


@drawn.register
def _(part: Bars) -> RenderableType:
    table = Table(Column(), Column(no_wrap=True, width=BAR), Column(justify="right"), box=None, show_header=False)
    for (name, value), share in zip(part.values, part.shares(), strict=True):
        table.add_row(Text(name), Text(_bar(share), "steel_blue1"), _number(value))
    return _titled(part.title, table)


@drawn.register
def _(part: HeatMap) -> RenderableType:
    names = list(part.rows) or [""] * len(part.values)
    margin = max(map(cell_len, names))
    wide = max([2, *(cell_len(name) + 1 for name in part.columns)])
    lines = []
    if part.columns:
        lines.append(Text(" " * (margin + 1) + "".join(_filled(name, wide) for name in part.columns)))
    for name, shades in zip(names, part.shades(), strict=True):
        cells = [(SHADES[shade] * wide, COLOURS[shade]) for shade in shades]
        lines.append(Text.assemble(" " * (margin - cell_len(name)) + name + " ", *cells))
    return _titled(part.title, *lines)


@drawn.register
def _(part: Curves) -> RenderableType:
    points = [point for line in part.lines for point in line.points]
    low, high = rounded_out(min(0.0, *(y for _, y in points)), max(y for _, y in points))
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    across, up = Scale(first, max(last, first + 1), 0, WIDE - 1), Scale(low, high, HIGH - 1, 0)
    grid = [[" "] * WIDE for _ in range(HIGH)]
    marks = ["●" if line.look == "main" else "·" for line in part.lines]
    for line, mark in sorted(zip(part.lines, marks, strict=True), key=lambda pair: pair[0].look == "main"):
        for x, y in line.points:
            grid[round(up(y))][round(across(x))] = mark
    sides = [_number(high), *[""] * (HIGH - 2), _number(low)]
    margin = max(map(len, sides))
    lines = [Text(f"{side:>{margin}} │{''.join(row)}") for side, row in zip(sides, grid, strict=True)]
    begin, end = f"{part.unit} {_number(first)}", _number(last)
    lines.append(Text(" " * (margin + 2) + begin + end.rjust(WIDE - len(begin))))
    return _titled(f"{part.title}  ({', '.join(f'{m} {line.name}' for m, line in zip(marks, part.lines))})", *lines)


@drawn.register
def _(part: Map) -> RenderableType:
    xs, ys = [x for _, x, _ in part.points], [y for _, _, y in part.points]
    across = Scale(min(xs), max(xs) or 1.0, 0, WIDE - 1)
    up = Scale(min(ys), max(ys) or 1.0, HIGH * 2 - 1, 0)
    grid = [[" "] * (WIDE + 12) for _ in range(HIGH * 2)]
    for name, x, y in part.points:
        wanted, left = round(up(y)), round(across(x))
        cells = [cell for letter in name for cell in (letter, *[""] * (cell_len(letter) - 1))]
        place = slice(left, left + len(cells) + 1)
        rows = sorted(range(len(grid)), key=lambda row: abs(row - wanted))
        row = next((row for row in rows if not "".join(grid[row][place]).strip()), wanted)
        grid[row][left : left + len(cells)] = cells  # a name that would stand on another moves up or down
    return _titled(part.title, *(Text("".join(row).rstrip()) for row in grid))


def _titled(title: str, *lines: RenderableType) -> RenderableType:
    return Group(Text(title, "bold"), *(Padding(line, (0, 0, 0, 2), expand=False) for line in lines), "")


def _bar(share: float) -> str:
    """A bar of eighths of a letter."""
    whole, rest = divmod(round(8 * BAR * share), 8)
    return "█" * whole + " ▏▎▍▌▋▊▉"[rest].strip()


def _filled(name: str, wide: int) -> str:
    return name + " " * (wide - cell_len(name))


def _number(value: int | float) -> str:
    return significant(value)


def together(parts: Sequence[object]) -> RenderableType:
    """All parts, one below the other; claims that follow each other make one table."""
    found: list[RenderableType] = []
    for kind, some in groupby(parts, type):
        if kind is Claim:
            found.append(_claims([part for part in some if isinstance(part, Claim)]))
        else:
            found += [drawn(part) for part in some]
    return Group(*found)
