"""Demonstrations as one page that needs no network, in the look of the reports."""

from collections.abc import Sequence
from functools import singledispatch
from itertools import groupby

from headway.lab.demonstrations._findings import Bars, Claim, Curves, Findings, HeatMap, Map, Table
from headway.report.charts import bar, heat_map, line_chart, map_chart
from headway.report.markup import NEW_LINE, Html, join, tag
from headway.report.page import head
from headway.report.sections import chart_figure, number_cell, scrolling, section
from headway.report.wording import plural, signed, significant
from headway.version import __version__

PICTURES = (HeatMap, Curves, Map)
"""What stands side by side where there is room."""


def page(shown: Sequence[tuple[str, str, Findings]]) -> str:
    """The page of demonstrations: (name, title, findings) each."""
    links = [tag("a", name, href=f"#{name}") for name, _, _ in shown]
    parts = [section(name, title, _parts(findings)) for name, title, findings in shown]
    claims = [claim for _, _, findings in shown for claim in findings.claims]
    failed = sum(not claim.holds for claim in claims)
    kept = (
        f"All {len(claims)} claims hold." if not failed else f"{failed} of {plural(len(claims), 'claim')} do not hold."
    )
    header = tag(
        "header",
        tag("p", tag("b", "lab"), " claims about self-attention and the Transformer, run", class_="kind"),
        tag("h1", "Shown by running it"),
        tag("p", f"{plural(len(shown), 'demonstration')}, every number computed on the spot. {kept}", class_="summary"),
        tag("nav", links, aria_label="Demonstrations"),
    )
    footer = tag("footer", tag("p", f"headway {__version__}"))
    body = tag("body", header, tag("main", join(parts, NEW_LINE)), footer)
    return f"<!DOCTYPE html>\n{tag('html', head('lab'), body, lang='en')}\n"


def _parts(findings: Findings) -> list[Html]:
    """In order; claims that follow each other are one table, pictures that do are one row."""
    return [_together(list(parts)) for _, parts in groupby(findings.shown, _kind)]


def _kind(part: object) -> object:
    return PICTURES if isinstance(part, PICTURES) else type(part)


def _together(parts: Sequence[object]) -> Html:
    if isinstance(parts[0], Claim):
        return _claims([part for part in parts if isinstance(part, Claim)])
    drawn = [_drawn(part) for part in parts]
    if isinstance(parts[0], PICTURES):
        return tag("div", drawn, class_="charts" if len(parts) < 3 else "charts small")
    return join(drawn)


def _claims(claims: Sequence[Claim]) -> Html:
    rows = []
    for claim in claims:
        word = tag("strong", "holds") if claim.holds else tag("del", "fails")
        bound = number_cell(f"{'≥' if claim.least else '≤'} {number(claim.bound)}")
        measured = number_cell(number(claim.value))
        rows.append(tag("tr", tag("td", word), tag("th", claim.text, scope="row"), measured, bound))
    names = [tag("th", name, scope="col") for name in ("", "claim")]
    names += [tag("th", name, scope="col", class_="number") for name in ("measured", "bound")]
    table = tag("table", tag("thead", tag("tr", names)), tag("tbody", rows))
    return join([tag("h3", "Claims"), scrolling(table, "Claims")])


@singledispatch
def _drawn(part: object) -> Html:
    raise TypeError(f"{type(part).__name__} has no picture")


@_drawn.register
def _(part: str) -> Html:
    return tag("p", part, class_="text")


@_drawn.register
def _(part: Table) -> Html:
    first, *others = part.columns
    head = tag("tr", tag("th", first, scope="col"), [tag("th", name, scope="col", class_="number") for name in others])
    body = [
        tag("tr", tag("th", _word(row[0]), scope="row"), [number_cell(_word(value)) for value in row[1:]])
        for row in part.rows
    ]
    return join([tag("h3", part.title), scrolling(tag("table", tag("thead", head), tag("tbody", body)), part.title)])


@_drawn.register
def _(part: Bars) -> Html:
    rows = [
        tag("tr", tag("th", name, scope="row"), tag("td", bar(share), class_="drawn"), number_cell(number(value)))
        for (name, value), share in zip(part.values, part.shares(), strict=True)
    ]
    return join([tag("h3", part.title), scrolling(tag("table", tag("tbody", rows), class_="bars lengths"), part.title)])


@_drawn.register
def _(part: HeatMap) -> Html:
    told = f"{part.title}: {len(part.values)} rows; the stronger the shade, the more."
    return chart_figure(part.title, heat_map(part.values, part.shades(), part.rows, part.columns, told))


@_drawn.register
def _(part: Curves) -> Html:
    keys = [tag("span", line.name, class_=f"key {line.look}") for line in part.lines]
    ends = [f"{line.name} from {number(line.points[0][1])} to {number(line.points[-1][1])}" for line in part.lines]
    chart = line_chart(part.lines, f"{part.title}: {', '.join(ends)}.", zero=True, unit=part.unit)
    return chart_figure(part.title, chart, *keys)


@_drawn.register
def _(part: Map) -> Html:
    return chart_figure(
        part.title, map_chart(part.points, f"{part.title}: {', '.join(name for name, _, _ in part.points)}.")
    )


def number(value: int | float) -> str:
    """A number of which four digits count."""
    return signed(significant(value))


def _word(value: str | int | float) -> str:
    return value if isinstance(value, str) else number(value)
