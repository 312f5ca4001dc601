"""Results by length: does it get worse where inputs are long?"""

import math

from headway.report.charts import bar
from headway.report.grades import Bucket, Grades, Score, buckets
from headway.report.markup import Html, tag
from headway.report.sections import number_cell, section
from headway.report.wording import figure


def lengths(graded: Grades | None) -> Html | None:
    """A bar for every group of lengths, once for each figure of a single answer."""
    if graded is None:
        return None
    groups = buckets(graded.lengths)
    if len(groups) < 2:
        return None
    about = f"Answers in groups by the length of the source, in {graded.unit}; the hairline is the figure of all."
    if graded.every > 1:
        about += f" One in {graded.every:,} examples was looked at."
    figures = [_figure(score, groups, graded.unit) for score in graded.scores]
    return section("lengths", "By length", tag("p", about, class_="note"), tag("div", figures, class_="charts"))


def _figure(score: Score, groups: list[Bucket], unit: str) -> Html:
    values = [score.of(group.rows) for group in groups]
    overall = score.of()
    most = 1.0 if score.percent else max([v for v in values if math.isfinite(v)], default=1.0) or 1.0
    if score.percent and not score.higher_is_better:
        most = max([v for v in values if math.isfinite(v)], default=1.0) or 1.0
    head = [
        tag("th", unit, scope="col"),
        tag("th", score.name, scope="col", colspan=2),
        tag("th", "examples", scope="col"),
    ]
    rows = [_row(group, value, most, overall, score) for group, value in zip(groups, values, strict=True)]
    way = "higher is better" if score.higher_is_better else "lower is better"
    caption = tag(
        "caption", tag("strong", score.name), " ", tag("span", f"{figure(overall, score.percent)} of all, {way}")
    )
    return tag("table", caption, tag("thead", tag("tr", head)), tag("tbody", rows), class_="bars lengths")


def _row(group: Bucket, value: float, most: float, overall: float, score: Score) -> Html:
    name = f"{group.first:,}" if group.first == group.last else f"{group.first:,}–{group.last:,}"
    mark = overall / most if math.isfinite(overall) else None
    drawn = bar(value / most, mark, None if score.higher_is_better else "error") if math.isfinite(value) else None
    return tag(
        "tr",
        tag("th", name, scope="row"),
        tag("td", drawn, class_="drawn"),
        number_cell(figure(value, score.percent)),
        number_cell(f"{len(group.rows):,}"),
    )
