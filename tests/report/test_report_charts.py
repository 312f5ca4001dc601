"""Charts: every point is drawn where it belongs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.report.charts import SMALL, Line, Size, bar, frame, line_chart, scatter_chart
from pages import Reader

values = st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-6)


def points_of(chart: str, look: str) -> list[tuple[float, float]]:
    """The points of a path with this class, as they stand in the picture."""
    path = re.search(rf'<path class="{look}" d="([^"]*)"', chart)
    assert path is not None
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path[1])]


def test_a_bar():
    assert bar(0.25, 0.5) == (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect x="0" y="2" width="25" height="6"/><path class="mark" d="M50 0V10"/></svg>'
    )
    assert 'width="100"' in bar(1.7) and 'width="0"' in bar(-0.1) and 'class="error"' in bar(0.5, look="error")


def test_a_chart_by_hand():
    # y runs from 0 to 4 over 250 - 30 - 14 units, x from 0 to 10 over 480 - 50 - 14.
    chart = line_chart([Line("valid", [(0, 0.0), (5, 4.0), (10, 1.0)])], "what it shows", kept=5, best=(5, 4.0))
    assert points_of(chart, "line main") == [(50, 220), (258, 14), (466, 168.5)]
    assert '<path class="kept" d="M258 14V220"/>' in chart and '<circle class="best" cx="258" cy="14" r="5"/>' in chart
    assert "<title>step 5: valid 4.000</title>" in chart and "step 0<" in chart
    assert 'role="img" aria-label="what it shows" viewBox="0 0 480 250"' in chart


@given(st.lists(st.tuples(st.integers(0, 10**6), values), min_size=1, max_size=40), st.sampled_from([Size(), SMALL]))
def test_the_picture_can_be_read_back(points: list[tuple[int, float]], size: Size):
    points = sorted(points)
    chart = line_chart([Line("training", points, "quiet")], "x", size=size)
    field = frame([0.0, *(x for x, _ in points)], [y for _, y in points], size)
    drawn = points_of(chart, "line quiet")
    assert len(drawn) == len(points) and not Reader(chart).problems
    for (x, y), (left, top) in zip(points, drawn):
        assert field.x.start - 0.1 <= left <= field.x.stop + 0.1 and field.y.stop - 0.1 <= top <= field.y.start + 0.1
        assert field.x(x) == pytest.approx(left, abs=0.06) and field.y(y) == pytest.approx(top, abs=0.06)


def test_hovering_tells_all_values_of_a_step_and_covers_the_field():
    chart = line_chart([Line("a", [(1, 0.5), (2, 0.25)], "quiet"), Line("b", [(2, 0.75)])], "x", percent=True)
    assert "<title>step 1: a 50.00%</title>" in chart and "<title>step 2: a 25.00%, b 75.00%</title>" in chart
    strips = re.findall(r'</title><path d="M([\d.]+) 14H([\d.]+)', chart)
    assert strips[0][1] == strips[1][0] and strips[-1][1] == "466"


def test_one_point_is_seen_and_names_are_escaped():
    chart = line_chart([Line("<b>", [(3, 1.0)], "quiet")], 'a "b" <c>')
    assert re.search(r'class="line quiet" d="M[\d.]+ [\d.]+h0"', chart)
    assert "&lt;b&gt; 1" in chart and 'aria-label="a &quot;b&quot; &lt;c&gt;"' in chart


def test_scatter_has_equal_axes_and_a_diagonal_where_both_are_equal():
    chart = scatter_chart([(0.0, 1.0), (2.0, 2.0), (3.0, -1.0)], "x", "right", "given")
    (x0, y0), (x1, y1) = points_of(chart, "diagonal")
    drawn = points_of(chart, "cloud")
    assert len(drawn) == 3 and drawn[1][1] == pytest.approx(y0 + (drawn[1][0] - x0) * (y1 - y0) / (x1 - x0), abs=0.2)
    field = frame([0.0, 2.0, 3.0], [1.0, 2.0, -1.0], Size(480, 440), same=True)
    assert (field.x.low, field.x.high) == (field.y.low, field.y.high) == (-1.0, 3.0)
