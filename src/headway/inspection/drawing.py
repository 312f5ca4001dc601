"""Pictures of attention as SVG: a table in shades, a spectrogram with a strip below it, a graph.

Shades are seven paths, of runs of equal cells, so that a table of hundreds of rows stays small and the script of the
page redraws it by seven strings.
"""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from headway.inspection.scenes import Drawing, Spectrogram
from headway.inspection.view import Picture, three
from headway.report.charts import DIGIT
from headway.report.markup import Html, cut, tag

WIDE = 900
"""What a table takes at most, where its cells can be so small."""
CELL, SMALLEST, LEGIBLE = 28, 2, 11
"""Sides of a cell: the largest, the smallest, and the smallest that has room for a name."""
NAME = 16
"""Letters of a name at a table."""
SHADES = range(1, 8)
SOUND_WIDE, SOUND_HIGH, STRIP = 860, 130, 18
GRAPH, MARGIN = 460, 34
THICK = 9
"""The width of the strongest edge."""


def cells(shades: Sequence[Sequence[int]]) -> list[str]:
    """The paths of the shades 1 … 7 in units of a cell: one rectangle for every run of equal cells."""
    paths = dict.fromkeys(SHADES, "")
    for i, row in enumerate(shades):
        j = 0
        for shade, run in groupby(row):
            length = len(list(run))
            if shade:
                paths[shade] += f"M{j} {i}h{length}v1h-{length}z"
            j += length
    return [paths[shade] for shade in SHADES]


def _painted(shades: Sequence[Sequence[int]], look: str, transform: str) -> Html:
    paths = [tag("path", class_=f"c{shade}", d=path) for shade, path in zip(SHADES, cells(shades), strict=True)]
    ground = tag("rect", class_="ground", width=len(shades[0]) if shades else 0, height=len(shades))
    return tag("g", ground, paths, class_=look, transform=transform)


def heat(picture: Picture) -> Html:
    """Rows that look, columns that are looked at; names where there is room for them."""
    T, S = picture.values.shape
    side = min(CELL, max(SMALLEST, WIDE // max(S, 1)))
    rows, columns = ([cut(name, NAME) for name in names] for names in (picture.rows, picture.columns))
    named = side >= LEGIBLE
    letter = 0.85 * DIGIT
    left = round(16 + letter * max(map(len, rows), default=0)) if named else 8
    short = max(map(len, columns), default=0) <= 2
    top = (26 if short else round(16 + letter * max(map(len, columns)))) if named else 8
    names = []
    for i, name in enumerate(rows if named else ()):
        names.append(tag("text", name, x=left - 6, y=top + round((i + 0.5) * side) + 4, text_anchor="end"))
    for j, name in enumerate(columns if named else ()):
        x = left + round((j + 0.5) * side)
        turn = {"transform": f"translate({x + 4} {top - 5}) rotate(-90)"}
        upright = {"x": x, "y": top - 7, "text_anchor": "middle"}
        names.append(tag("text", name, **(upright if short else turn)))
    place = f"translate({left} {top}) scale({side})"
    mark = tag("rect", class_="chosen", x=left, y=top, width=S * side, height=side, display="none", data_side=side)
    drawn = _painted(picture.shades(), "cells", place)
    return _svg(left + S * side + 8, top + T * side + 8, picture.title, names, drawn, mark, class_="heat")


def frames(scene: Spectrogram, picture: Picture) -> Html:
    """A sound by time and pitch, and below it in shades what was taken of every stretch of it."""
    loud = np.minimum((scene.values.T[::-1] * 8).astype(int), 7).tolist()
    high = SOUND_HIGH
    across, wide = len(loud[0]) if loud else 1, max(len(picture.columns), 1)
    sound = _painted(loud, "spectrogram", f"scale({SOUND_WIDE / max(across, 1):.5g} {high / max(len(loud), 1):.5g})")
    strip = _painted([picture.row_shades()], "strip", f"translate(0 {high + 4}) scale({SOUND_WIDE / wide:.5g} {STRIP})")
    ends = [
        tag("text", "0 s", x=0, y=high + STRIP + 20),
        tag("text", f"{scene.seconds:.2f} s", x=SOUND_WIDE, y=high + STRIP + 20, text_anchor="end"),
    ]
    told = f"spectrogram of {scene.seconds:.2f} seconds; the darker the strip below, the more was taken of it"
    return _svg(SOUND_WIDE, high + STRIP + 26, told, sound, strip, ends, class_="sound", fluid=True)


def drawing(scene: Drawing, picture: Picture) -> Html:
    """A graph: the darker a node, the more was taken of it; an edge as thick as its ends look at each other."""
    at = [(round(MARGIN + x * GRAPH, 1), round(MARGIN + y * GRAPH, 1)) for x, y in scene.places.tolist()]
    values = picture.values
    both = [(float(values[i, j]) + float(values[j, i])) / 2 for i, j in scene.edges]
    top = max(both, default=0.0) or 1.0
    lines, way = [], "→" if scene.directed else "–"
    for (i, j), weight in zip(scene.edges, both, strict=True):
        (x1, y1), (x2, y2) = at[i], at[j]
        title = tag("title", f"{picture.columns[i]} {way} {picture.columns[j]}: {three(weight)}")
        width = f"{1 + (THICK - 1) * weight / top:.2f}"
        ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "data_i": i, "data_j": j}
        lines.append(tag("g", title, tag("line", stroke_width=width, **ends)))
    nodes = []
    for number, ((x, y), shade) in enumerate(zip(at, picture.row_shades(), strict=True)):
        name = cut(picture.columns[number], 12)
        letters = tag("text", name, x=x, y=y + 4, text_anchor="middle")
        node = tag("circle", cx=x, cy=y, r=17, class_=f"c{shade}")
        nodes.append(tag("g", tag("title", picture.columns[number]), node, letters, class_=f"node w{shade}"))
    side = GRAPH + 2 * MARGIN
    told = f"graph of {len(at)} nodes; the darker a node, the more was taken of it"
    groups = tag("g", lines, class_="edges"), tag("g", class_="rays"), tag("g", nodes, class_="nodes")
    return _svg(side, side, told, *groups, class_="graph", fluid=True)


def _svg(width: int, height: int, told: str, *parts: object, class_: str, fluid: bool = False) -> Html:
    style = f"max-width:{width}px" if fluid else f"width:{width}px;max-width:none"
    view = f"0 0 {width} {height}"
    return tag("svg", *parts, class_=class_, role="img", aria_label=told, viewBox=view, style=style)
