"""A view in a terminal: the answer, a heat map in letters, what stands behind it, who looked at what, and the trace."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from headway.batch import TransduceAnswer
from headway.cli._pictures import COLOURS, SHADES
from headway.cli._traces import trace_lines
from headway.errors import printable
from headway.inspection.attributions import Attribution
from headway.inspection.scenes import Drawing, Spectrogram
from headway.inspection.view import NOTE, Picture, View, three
from headway.report.scale import shades_of
from headway.report.wording import significant

NAME, STACKED = 18, 10
"""Letters of a name beside a row, and above a column, where they stand one below the other."""
ROWS, BANDS = 40, 10
"""Lines of a heat map and of a spectrogram at most; more are put together."""
CELL = 2
"""Columns of a cell."""
MOST = 40
"""Lines of words at most."""
WIDE, HIGH = 60, 18
"""The field of a graph."""
BAR = 24
BARS = 2
"""Outputs at most whose attributions are drawn as bars; of more the strongest elements are named."""


def looked(view: View, picture: Picture | None, width: int = 100) -> RenderableType:
    """All that a terminal shows of a view; `picture` is the heat map that was chosen, None where there is none."""
    parts: list[RenderableType] = [Text.assemble((printable(view.source, 400), "bold")), _answer(view), Text("")]
    if picture is not None:
        parts += [Text(picture.title, "bold"), *_scene(view, picture, width), *heat_lines(picture, width), Text("")]
        parts += [Text("looked most at", "bold"), *_words(view, picture), Text("")]
    parts += [Text(reason, "dim") for reason in view.missing.values()]
    if 0 < len(view.attributions) <= BARS:
        parts += [part for each in view.attributions for part in (attributed(each), Text(""))]
    elif view.attributions:
        parts += [*_followed(view.attributions), Text("")]
    if isinstance(view.answer, TransduceAnswer) and view.trace:
        parts += [Text("how it was decided", "bold"), *trace_lines(view.answer, width), Text("")]
    return Group(*parts, Text(NOTE, "dim italic"))


def _answer(view: View) -> Text:
    return Text.assemble(("→ ", "dim"), (printable(str(view.answer) or "nothing", 400), "bold green"))


# --------------------------------------------------------------------------------------------------------- the table


def heat_lines(picture: Picture, width: int) -> list[Text]:
    """The heat map: a cell is two letters; where there are too many rows or columns, neighbours are put together."""
    names = [_fit(name, NAME) for name in picture.rows]
    margin = max(map(cell_len, names), default=0) + 1
    by_row, by_column = _together(len(names), ROWS), _together(len(picture.columns), max(1, (width - margin) // CELL))
    values = _pooled(_pooled(picture.values, by_column).T, by_row).T
    heads = [_fit(name, STACKED) for name in picture.columns[::by_column]]
    lines = list(_stacked(heads, margin))
    for name, shades in zip(names[::by_row], shades_of(values.tolist()), strict=True):
        cells = [(SHADES[shade] * CELL, COLOURS[shade]) for shade in shades]
        lines.append(Text.assemble(" " * (margin - 1 - cell_len(name)) + name + " ", *cells))
    if by_row * by_column > 1:
        lines.append(Text(f"a cell is the mean of {by_row} × {by_column} weights", "dim"))
    return lines


def _stacked(names: Sequence[str], margin: int) -> Iterator[Text]:
    """Names one letter a line, so that they end just above their columns."""
    high = max(map(len, names), default=0)
    for line in range(high):
        letters = [name[line - high + len(name)] if line >= high - len(name) else " " for name in names]
        yield Text(" " * margin + "".join(letter + " " * (CELL - cell_len(letter)) for letter in letters).rstrip())


def _fit(name: str, most: int) -> str:
    """A name as it can be printed, in so many columns at most."""
    safe = printable(name.replace(" ", "▁"), most)
    while cell_len(safe) > most:
        safe = safe.rstrip("…")[:-1] + "…"
    return safe


def _together(count: int, room: int) -> int:
    """How many neighbours make one cell."""
    return max(1, -(-count // room))


def _pooled(values: NDArray[np.float64], each: int) -> NDArray[np.float64]:
    """(T, S) -> (T, S / each): the mean of every `each` columns."""
    starts = np.arange(0, values.shape[1], each)
    if each == 1 or not len(starts):
        return values
    counts = np.diff(np.append(starts, values.shape[1]))
    return np.add.reduceat(values, starts, axis=1) / counts


def _words(view: View, picture: Picture) -> Iterator[Text]:
    """For everyone who looks the three that it looked at most; a tagger's elements with their labels."""
    labels = view.outputs if view.task == "tag" else ()
    names = [_fit(name, NAME) for name in picture.rows]
    wide = max([3, *map(cell_len, names)])
    widest = max([0, *(cell_len(label) + 1 for label in labels)])
    if view.task in ("classify", "regress") or len(names) > MOST:
        yield Text.assemble(f"  {'all':{wide}}  ", " " * widest, _looked_at(picture, None))
    for number, name in enumerate(names[:MOST]):
        label = labels[number] if number < len(labels) else ""
        room = " " * (wide - cell_len(name)), " " * (widest - cell_len(label))
        yield Text.assemble("  ", name, room[0], "  ", (label, "green"), room[1], _looked_at(picture, number))
    if len(names) > MOST:
        yield Text(f"  … and {len(names) - MOST:,} more: --json or --html has them all", "dim")


def _looked_at(picture: Picture, row: int | None) -> Text:
    found = Text()
    for place, (column, weight) in enumerate(picture.best(row)):
        found.append("   " if place else "")
        found.append(_fit(picture.columns[column], NAME), "bold" if not place else "default")
        found.append(f" {three(weight)}", "dim")
    return found


# ------------------------------------------------------------------------------------- what stands behind the table


def _scene(view: View, picture: Picture, width: int) -> Iterator[Text]:
    if picture.title.startswith("decoder"):  # there it is words that are looked at
        return
    if isinstance(view.scene, Spectrogram):
        margin = max((cell_len(_fit(name, NAME)) for name in picture.rows), default=0) + 1
        yield from _spectrogram(view.scene, len(picture.columns), margin, width)
    elif isinstance(view.scene, Drawing):
        yield from graph_lines(view.scene, picture)


def _spectrogram(scene: Spectrogram, columns: int, margin: int, width: int) -> Iterator[Text]:
    """The sound over the columns of the table, high tones above."""
    each = _together(columns, max(1, (width - margin) // CELL))
    cells = CELL * -(-columns // each)
    frames = np.array_split(scene.values.astype(np.float64), cells) if len(scene.values) >= cells else scene.values
    bands = np.array([np.atleast_2d(part).mean(0) for part in frames]).T
    for band in np.array_split(bands[::-1], min(BANDS, len(bands))):
        shades = np.minimum(band.mean(0) * 8, 7).astype(int).tolist()
        yield Text.assemble(" " * margin, *((SHADES[shade], COLOURS[shade]) for shade in shades))


def graph_lines(scene: Drawing, picture: Picture) -> list[Text]:
    """The graph: the brighter a node's name, the more was taken of it; an edge's dots are as heavy as its ends look."""
    grid = [[(" ", "") for _ in range(WIDE)] for _ in range(HIGH)]
    at = [(round(x * (WIDE - 1 - NAME // 2)), round(y * (HIGH - 1))) for x, y in scene.places.tolist()]
    both = [float(picture.values[i, j] + picture.values[j, i]) for i, j in scene.edges]
    weights = shades_of([both])[0]
    for (i, j), shade in sorted(zip(scene.edges, weights, strict=True), key=lambda pair: pair[1]):
        (x1, y1), (x2, y2) = at[i], at[j]
        steps = max(abs(x2 - x1), abs(y2 - y1), 1)
        for step in range(steps + 1):
            x, y = round(x1 + (x2 - x1) * step / steps), round(y1 + (y2 - y1) * step / steps)
            grid[y][x] = ("·•●"[min(2, shade // 3)], COLOURS[shade] or "grey30")
    for (x, y), name, shade in zip(at, picture.columns, picture.row_shades(), strict=True):
        cells = [cell for letter in _fit(name, 8) for cell in (letter, *[""] * (cell_len(letter) - 1))]
        for place, cell in enumerate(cells):
            grid[y][min(x + place, WIDE - 1)] = (cell, f"bold {COLOURS[shade]}")
    return [Text.assemble("  ", *row) for row in grid]


def _followed(attributions: Sequence[Attribution]) -> Iterator[Text]:
    """A line for every output: the elements that added most to it, or took most from it."""
    yield Text(f"what each output follows ({attributions[0].method})", "bold")
    wide = max(cell_len(_fit(each.of, 2 * NAME)) for each in attributions)
    for each in attributions:
        strongest = sorted(range(len(each.values)), key=lambda place: -abs(each.values[place]))[:4]
        told = "   ".join(f"{_fit(each.elements[n], NAME)} {each.values[n]:+.3g}" for n in strongest)
        name = _fit(each.of, 2 * NAME)
        yield Text.assemble("  ", name, " " * (wide - cell_len(name)), "  ", told)


def attributed(each: Attribution) -> RenderableType:
    """What every element added to an output, as bars to both sides of nothing."""
    top = max(map(abs, each.values), default=0.0) or 1.0
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in zip(each.elements, each.values, strict=True):
        length = round(BAR * abs(value) / top)
        sign = ("█" * length, "steel_blue1") if value >= 0 else ("▒" * length, "dark_orange")
        table.add_row(Text(f"  {_fit(name, NAME)}"), Text(significant(value, 3), justify="right"), Text(*sign))
    told = f"{each.method}: {significant(each.baseline)} without any of the input, {significant(each.output)} with it"
    return Group(Text(f"what {printable(each.of, 200)} follows", "bold"), Text(f"  {told}", "dim"), table)
