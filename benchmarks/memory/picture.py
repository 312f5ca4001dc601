"""A picture of memory over time, as SVG that stands alone: linear axes, both from 0, a line for a bound."""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 380, 64, 120, 34, 44
COLOURS = ["#2563a8", "#b8551b", "#3c7d4a"]


def over_time(
    title: str,
    seconds: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    bound: tuple[str, float],
    marks: Mapping[str, float],
) -> str:
    """Megabytes over seconds. bound: its name and its megabytes; marks: what began when."""
    last, top = max(seconds), 1.15 * max(bound[1], *(max(values) for values in curves.values()))

    def place(x: float, y: float) -> tuple[float, float]:
        across = LEFT + x / last * (WIDTH - LEFT - RIGHT)
        return across, HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM)

    parts = [_text(title, LEFT, TOP - 14, "start")]
    for y in _ticks(top):
        at = place(0, y)[1]
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#e5e5e5"/>')
        parts.append(_text(f"{y:,.0f} MB", LEFT - 6, at + 4, "end"))
    for minutes in _ticks(last / 60):
        parts.append(_text(f"{minutes:g} min", place(60 * minutes, 0)[0], HEIGHT - BOTTOM + 18, "middle"))
    for name, when in marks.items():
        at = place(when, 0)[0]
        parts.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#999" stroke-dasharray="2 3"/>')
        parts.append(_text(name, at + 4, TOP + 10, "start", "#666"))
    at = place(0, bound[1])[1]
    parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#a33" stroke-dasharray="6 4"/>')
    parts.append(_text(bound[0], WIDTH - RIGHT + 8, at + 4, "start", "#a33"))
    ends: list[float] = []
    for (name, values), colour in zip(curves.items(), COLOURS):
        line = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in zip(seconds, values))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        height = place(0, values[-1])[1] + 4
        while any(abs(height - other) < 15 for other in ends):
            height += 15
        ends.append(height)
        parts.append(_text(name, WIDTH - RIGHT + 8, height, "start", colour))
    body = "\n".join(parts)
    look = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"'
    paper = '<rect width="100%" height="100%" fill="#fff"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {look}>\n{paper}\n{body}\n</svg>\n'


def _ticks(top: float) -> list[float]:
    """About five round numbers from 0."""
    step = next(
        step for power in range(-3, 9) for step in (10.0**power, 2 * 10.0**power, 5 * 10.0**power) if top <= 6 * step
    )
    return [number * step for number in range(int(top / step) + 1)]


def _text(words: str, x: float, y: float, anchor: str, colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
