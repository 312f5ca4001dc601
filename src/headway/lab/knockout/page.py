"""Knockouts as one page that needs no network, in the look of the reports."""

from pathlib import Path

from headway.lab.knockout.results import Change, Results
from headway.report.charts import bar, heat_map
from headway.report.markup import NEW_LINE, Html, cut, join, tag
from headway.report.page import head
from headway.report.scale import shades_of
from headway.report.sections import chart_figure, number_cell, scrolling, section
from headway.report.wording import measured, metric_name, plural, signed
from headway.version import __version__


def page(results: Results) -> str:
    """The page as text: the same results give the same page."""
    parts = [("table", "What is missed", _table(results)), ("picture", "Where it is", _pictures(results))]
    links = [tag("a", title, href=f"#{name}") for name, title, _ in parts]
    first, *others = results.sentences
    header = tag(
        "header",
        tag(
            "p", tag("b", "knockout"), f" {plural(len(results.changes), 'part')}, {results.how} in turn", class_="kind"
        ),
        tag("h1", cut(Path(results.run).name, 120)),
        tag("p", first, class_="summary"),
        tag("p", " ".join(others), class_="note"),
        tag("nav", links, aria_label="Parts of the page"),
    )
    main = tag("main", join([section(*part) for part in parts], NEW_LINE))
    body = tag("body", header, main, tag("footer", tag("p", f"headway {__version__}")))
    return f"<!DOCTYPE html>\n{tag('html', head(f'knockout of {results.run}'), body, lang='en')}\n"


def columns(results: Results) -> list[str]:
    """The names of the columns of `row`."""
    return [f"{results.how}", metric_name(results.metric), "change", "95 % interval", "answers changed", ""]


def row(results: Results, change: Change) -> list[str]:
    """One knockout as text: what, the metric without it, its change, the interval, answers changed, how sure."""
    low, high = (_difference(results.metric, bound) for bound in change.interval)
    return [
        change.name,
        measured(results.metric, change.value),
        _difference(results.metric, change.change),
        f"{low} … {high}",
        f"{change.changed:.1%}",
        "beyond chance" if change.clear else "",
    ]


def _difference(metric: str, value: float) -> str:
    shown = measured(metric, value)
    return shown if value <= 0 else f"+{shown}"


def _table(results: Results) -> Html:
    top = max((abs(change.change) for change in results.changes), default=0.0) or 1.0
    rows = []
    for change in results.ordered:
        name, value, moved, around, changed, clear = row(results, change)
        drawn = bar(abs(change.change) / top, look="error" if results.harm(change) > 0 else None)
        cells = [number_cell(text) for text in (value, moved, around, changed)]
        rows.append(tag("tr", tag("th", name, scope="row"), tag("td", drawn, class_="drawn"), cells, tag("td", clear)))
    first, *others = columns(results)
    heads = [tag("th", first, scope="col", colspan=2), [tag("th", name, scope="col") for name in others]]
    note = f"The whole model: {metric_name(results.metric)} {measured(results.metric, results.whole)}."
    table = tag("table", tag("thead", tag("tr", heads)), tag("tbody", rows), class_="bars")
    return join([tag("p", signed(note), class_="note"), scrolling(table, "knockouts")])


def _pictures(results: Results) -> Html:
    figures = []
    for part, values, rows, names in results.grids():
        told = f"{part}: the darker, the more it is missed; rows are layers" + (", columns are heads" if names else "")
        chart = heat_map(values, shades_of(values), rows, names, told)
        figures.append(chart_figure(part, chart, tag("span", told.partition(": ")[2])))
    return tag("div", figures, class_="charts small")
