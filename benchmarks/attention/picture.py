"""A picture of curves on two logarithmic axes, as SVG that stands alone: a power of the length is a straight line."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 60, 110, 30, 40
COLOURS = ["#2563a8", "#b8551b", "#3c7d4a", "#8a3b8f", "#7a6a1c", "#555555"]


@dataclass(frozen=True)
class Curve:
    name: str
    points: Sequence[tuple[float, float]]


def log_log(curves: Sequence[Curve], x_name: str, y_name: str) -> str:
    """The picture; every x of a point bears a tick, and every power of ten of y."""
    xs = sorted({x for curve in curves for x, _ in curve.points})
    ys = [y for curve in curves for _, y in curve.points]
    low, high = (
        math.floor(math.log10(min(ys))),
        max(math.ceil(math.log10(max(ys))), math.floor(math.log10(min(ys))) + 1),
    )
    span = math.log2(xs[-1] / xs[0]) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        across = math.log2(x / xs[0]) / span
        up = (math.log10(y) - low) / (high - low)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = [_text(f"{y_name} (↑) over {x_name} (→)", LEFT, TOP - 12, "start")]
    for x in xs:
        at, _ = place(x, 10.0**low)
        parts.append(_text(f"{x:,.0f}", at, HEIGHT - BOTTOM + 18, "middle"))
        parts.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#eee"/>')
    for power in range(low, high + 1):
        _, at = place(xs[0], 10.0**power)
        parts.append(_text(f"{10.0**power:g}", LEFT - 8, at + 4, "end"))
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
    ends: list[float] = []
    for curve, colour in sorted(zip(curves, COLOURS), key=lambda pair: -pair[0].points[-1][1]):
        places = [place(x, y) for x, y in curve.points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        ends.append(max(places[-1][1] + 4, ends[-1] + 15 if ends else 0.0))
        parts.append(_text(curve.name, places[-1][0] + 8, ends[-1], "start", colour))
    body = "\n".join(parts)
    look = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"'
    paper = '<rect width="100%" height="100%" fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {look}>\n{paper}\n{body}\n</svg>\n'


def _text(words: str, x: float, y: float, anchor: str, colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
