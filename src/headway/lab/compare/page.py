"""compare.html: the comparison as one page that needs no network, in the look of the reports."""

from collections.abc import Sequence
from pathlib import Path

from headway.lab.compare.curves import look, over_length, over_time
from headway.lab.compare.markdown import rungs
from headway.lab.compare.results import Pair, Results
from headway.lab.compare.table import Table, legend, table
from headway.lab.compare.verdict import apart, verdict
from headway.report.charts import LARGE, Line, line_chart
from headway.report.markup import NEW_LINE, Html, cut, escape, join, tag
from headway.report.page import head
from headway.report.sections import chart_figure, number_cell, scrolling, section
from headway.report.wording import is_percent, metric_name, plural
from headway.version import __version__


def page(results: Results) -> str:
    """The page as text: the same results give the same page."""
    plan = results.plan
    parts = [
        ("results", "Results", _results(results)),
        ("time", "Over time", _time(results)),
        ("length", "By length", _length(results)),
        ("pairs", "Every pair", _pairs(results)),
        ("rates", "Learning rates", _ladders(results)),
        ("about", "Made with", _about(results)),
    ]
    links = [tag("a", title, href=f"#{name}") for name, title, part in parts if part is not None]
    title = cut(", ".join(plan["axes"]), 120)
    first, *others = verdict(results)
    header = tag(
        "header",
        tag("p", tag("b", "comparison"), f" {_size(results)}", class_="kind"),
        tag("h1", " × ".join(axis.rpartition(".")[2].replace("_", " ") for axis in plan["axes"])),
        tag("p", first, class_="summary"),
        [tag("p", sentence, class_="note") for sentence in others],
        tag("nav", links, aria_label="Parts of the page"),
    )
    main = tag("main", join([part for _, _, part in parts], NEW_LINE))
    body = tag("body", header, main, tag("footer", tag("p", f"headway {__version__}")))
    return f"<!DOCTYPE html>\n{tag('html', head(title), body, lang='en')}\n"


def _size(results: Results) -> str:
    plan = results.plan
    data = f" on {Path(plan['data']['path']).name}" if plan["data"]["path"] else ""
    arms, seeds = plural(len(plan["arms"]), "arm"), plural(len(plan["seeds"]), "seed")
    return f"{arms}, {seeds} each{data}; {plan['budget']['words']}"


def _results(results: Results) -> Html:
    found = table(results)
    return section(
        "results", "Results", scrolling(_table(found, results), "Results"), tag("p", legend(results), class_="note")
    )


def _table(found: Table, results: Results) -> Html:
    top = tag("tr", tag("td"), [tag("th", name, scope="col") for name in found.columns])
    looks = {arm.name: look(number) for number, arm in enumerate(results.arms)}
    body = []
    for row in found.rows:
        cells = [tag("strong", row.cells[0]), *row.cells[1:]] if row.best and row.cells else row.cells
        key = None if row.baseline else tag("span", class_=f"key {looks[row.name]}")
        name = tag("em", row.name) if row.baseline else row.name
        body.append(tag("tr", tag("th", key, name, scope="row"), [number_cell(cell) for cell in cells]))
    return tag("table", tag("thead", top), tag("tbody", body), class_="results compared")


def _time(results: Results) -> Html | None:
    lines = over_time(results)
    if results.metric is None or not any(line.points for line in lines):
        return None
    name = metric_name(results.metric)
    charts = [
        _chart(f"{name} over seconds of training", lines, "seconds", results),
        _chart(f"{name} over updates", over_time(results, "steps"), "update", results),
    ]
    note = tag("p", f"The {name} of the valid part at every evaluation, the mean of the seeds.", class_="note")
    return section("time", "Over time", note, _keys(results), tag("div", charts, class_="charts"))


def _length(results: Results) -> Html | None:
    if results.metric is None:
        return None
    lines, groups = over_length(results)
    if len(groups) < 2:
        return None
    items = next(cell for arm in results.arms for cell in arm.cells.values())["items"]
    name, unit = items["score"], items["unit"]
    about = f"Items of the {results.part} part in {len(groups)} groups by the length of the source, all seeds together."
    chart = _chart(f"{name} over length in {unit}", lines, unit, results, items["percent"])
    head_ = tag(
        "tr", tag("th", unit, scope="col"), [tag("th", line.name, scope="col") for line in lines], tag("th", "items")
    )
    rows = []
    for number, group in enumerate(groups):
        span = f"{group.first:,}" if group.first == group.last else f"{group.first:,}–{group.last:,}"
        cells = [_value(line, number, items["percent"]) for line in lines]
        rows.append(tag("tr", tag("th", span, scope="row"), cells, number_cell(f"{len(group.rows):,}")))
    numbers = scrolling(tag("table", tag("thead", head_), tag("tbody", rows), class_="results"), "By length")
    note = tag("p", about, class_="note")
    return section("length", "By length", note, _keys(results), tag("div", chart, numbers, class_="charts"))


def _value(line: Line, number: int, percent: bool) -> Html:
    if number >= len(line.points):
        return number_cell("–")
    value = line.points[number][1]
    return number_cell(f"{value:.2%}" if percent else f"{value:.4g}")


def _chart(title: str, lines: Sequence[Line], unit: str, results: Results, percent: bool | None = None) -> Html:
    lines = [line for line in lines if line.points]
    if percent is None:
        percent = is_percent(str(results.metric))
    ends = [f"{line.name} ends at {line.points[-1][1]:.4g}" for line in lines]
    return chart_figure(
        title, line_chart(lines, f"{title}: {'; '.join(ends)}.", size=LARGE, percent=percent, unit=unit)
    )


def _keys(results: Results) -> Html:
    keys = [tag("span", arm.name, class_=f"key {look(number)}") for number, arm in enumerate(results.arms)]
    return tag("p", keys, class_="keys")


def _pairs(results: Results) -> Html | None:
    if len(results.pairs) < 2 or results.metric is None:
        return None
    names = ("first", "second", "difference", "95 % interval", "seeds", "p", "p, adjusted", "larger than chance")
    top = tag("tr", [tag("th", name, scope="col") for name in names])
    body = [tag("tr", _pair(pair, str(results.metric))) for pair in results.pairs]
    note = "The difference is second − first; p is of the paired bootstrap, adjusted for the number of pairs by Holm."
    shown = scrolling(tag("table", tag("thead", top), tag("tbody", body), class_="pairwise"), "Every pair")
    return section("pairs", "Every pair", tag("p", note, class_="note"), shown)


def _pair(pair: Pair, metric: str) -> list[Html]:
    low, high = (apart(metric, bound, sign=True) for bound in pair.interval)
    seeds = ", ".join(apart(metric, value, sign=True) for value in pair.by_seed)
    numbers = [
        apart(metric, pair.difference, sign=True),
        f"{low} … {high}",
        seeds,
        f"{pair.p:.3g}",
        f"{pair.adjusted:.3g}",
    ]
    verdict = tag("strong", "yes") if pair.holds else "not for every seed" if pair.beyond_items else "no"
    return [tag("td", pair.first), tag("td", pair.second), *map(number_cell, numbers), tag("td", verdict)]


def _ladders(results: Results) -> Html | None:
    climbed = [arm for arm in results.arms if arm.told["ladder"]]
    if not climbed:
        return None
    factors = [tag("th", f"× {rung['factor']:g}", scope="col") for rung in climbed[0].told["ladder"]]
    top = tag("tr", tag("td"), factors, tag("th", "chosen", scope="col"))
    rows = []
    for arm in climbed:
        cells = [tag("strong", word.strip("*")) if word.startswith("*") else word for word in rungs(results, arm)]
        rate = number_cell(f"{arm.told['learning_rate']:g}")
        rows.append(tag("tr", tag("th", arm.name, scope="row"), map(number_cell, cells), rate))
    note = "Short trainings of every arm with multiples of its learning rate, by the valid part; the best is taken."
    shown = scrolling(tag("table", tag("thead", top), tag("tbody", rows), class_="results"), "Learning rates")
    return section("rates", "Learning rates", tag("p", note, class_="note"), shown)


def _about(results: Results) -> Html:
    plan = results.plan
    said = [line.strip() for sentence in plan["said"] for line in sentence.splitlines() if line.strip()]
    said += [*results.signatures.values(), f"FLOPs: {plan['flops']}"]
    command = tag("pre", tag("code", escape(plan["command"])), tabindex=0)
    items = tag("ul", [tag("li", cut(line)) for line in said])
    return section("about", "Made with", command, tag("details", tag("summary", "Data and choices"), items))
