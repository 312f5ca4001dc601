"""How training went, step by step."""

from headway.report.charts import LARGE, SMALL, Line, Size, line_chart
from headway.report.curves import Curves, Points, curves, thinned
from headway.report.findings import Findings
from headway.report.markup import Html, tag
from headway.report.sections import chart_figure, section
from headway.report.wording import figure, is_better_higher, is_percent, measured, metric_name, significant

MOST_METRICS = 6
"""Metrics that have a chart."""


def training(findings: Findings) -> Html | None:
    """Loss and metrics over steps; learning rate and speed smaller."""
    found = curves(findings.events)
    if not found.train_loss and not found.valid_loss:
        return None
    measured = [(name, points) for name, points in found.metrics.items() if points][:MOST_METRICS]
    large = [_loss(found), *(_metric(name, points, found) for name, points in measured[:1])]
    small = [_metric(name, points, found, SMALL) for name, points in measured[1:]]
    small += [_small("learning rate", found.learning_rate), _small("tokens per second", found.tokens_per_second)]
    note = None
    if found.kept is not None and measured:
        first = metric_name(measured[0][0])
        words = f"The broken line is at the step whose weights are kept: they had the best {first} on the valid part."
        note = tag("p", words, _measured_on(findings), class_="note")
    charts = tag("div", large, class_="charts")
    return section("training", "Training", note, charts, tag("div", [s for s in small if s], class_="charts small"))


def _measured_on(findings: Findings) -> str:
    """That evaluations during training took only some of the valid part, where it is so."""
    taken, count = findings.examined, findings.counts.get("valid")
    if taken is None or count is None or taken >= count:
        return ""
    return f" During training {taken:,} of the {count:,} valid examples were answered, so curves and table can differ."


def _loss(found: Curves) -> Html:
    lines = [
        Line("training", thinned(found.train_loss), "quiet"),
        Line("valid", thinned(found.valid_loss, always=found.kept), "main"),
    ]
    lines = [line for line in lines if line.points]
    chart = line_chart(
        lines, f"Line chart of the loss over steps: {', '.join(map(_ends, lines))}.", kept=_shown_kept(found)
    )
    return chart_figure("loss", chart, *(tag("span", line.name, class_=f"key {line.look}") for line in lines))


def _ends(line: Line) -> str:
    (first, begin), (last, end) = line.points[0], line.points[-1]
    return f"{line.name} from {figure(begin)} at step {first:,.0f} to {figure(end)} at step {last:,.0f}"


def _metric(name: str, points: Points, found: Curves, size: Size = LARGE) -> Html:
    percent = is_percent(name)
    best_step, best = (max if is_better_higher(name) else min)(points, key=lambda point: point[1])
    words = f"best {measured(name, best)} at step {best_step:,}"
    begin = f"from {measured(name, points[0][1])} at step {points[0][0]:,}"
    told = f"Line chart of {metric_name(name)} on the valid part over steps: {begin}, {words}."
    line = Line("valid", thinned(points, always=best_step))
    chart = line_chart([line], told, size=size, percent=percent, kept=_shown_kept(found), best=(best_step, best))
    return chart_figure(metric_name(name), chart, tag("span", words))


def _small(name: str, points: Points) -> Html | None:
    if not points:
        return None
    values = sorted(value for _, value in points)
    middle, highest = (significant(value, 3) for value in (values[len(values) // 2], values[-1]))
    words = f"highest {highest}" if name == "learning rate" else f"median {middle}"
    line = Line(name, thinned(points), "quiet")
    chart = line_chart([line], f"Line chart of the {name} over steps: {words}.", size=SMALL, zero=True)
    return chart_figure(name, chart, tag("span", words))


def _shown_kept(found: Curves) -> int | None:
    return found.kept if found.metrics else None
