"""compare.html: the comparison as one page that needs no network, in the look of the reports."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from headway.lab.compare.curves import look, over_length, over_time
from headway.lab.compare.markdown import rungs
from headway.lab.compare.results import Pair, Results
from headway.lab.compare.table import legend, table
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
    sentences = verdict(results)
    header = tag(
        "header",
        tag("p", tag("b", "comparison"), f" {_size(results)}", class_="kind"),
        tag("h1", " × ".join(axis.rpartition(".")[2].replace("_", " ") for axis in plan["axes"])),
        tag("p", " ".join(sentences[:2]), class_="summary"),
        tag("p", " ".join(sentences[2:]), class_="note") if sentences[2:] else None,
        tag("nav", links, aria_label="Parts of the page"),
    )
    main = tag("main", join([part for _, _, part in parts], NEW_LINE))
    body = tag("body", header, main, tag("footer", tag("p", f"headway {__version__}")))
    style = resources.files("headway.lab.compare").joinpath("compare.css").read_text(encoding="utf-8")
    return f"<!DOCTYPE html>\n{tag('html', head(title, style), body, lang='en')}\n"


def _size(results: Results) -> str:
    plan = results.plan
    data = f" on {Path(plan['data']['path']).name}" if plan["data"]["path"] else ""
    arms, seeds = plural(len(plan["arms"]), "arm"), plural(len(plan["seeds"]), "seed")
    return f"{arms}, {seeds} each{data}; {plan['budget']['words']}"


def _results(results: Results) -> Html:
    """What was reached, then what it took."""
    found, looks = table(results), {arm.name: look(number) for number, arm in enumerate(results.arms)}
    reached, took = [], []
    for row in found.rows:
        key = None if row.baseline else tag("span", class_=f"key {looks[row.name]}")
        name = join([key, tag("em", row.name) if row.baseline else row.name])
        first = [tag("strong", row.cells[0])] if row.best else [row.cells[0]]
        reached.append((name, [*first, *row.cells[1 : found.costs]]))
        if not row.baseline:
            took.append((name, row.cells[found.costs :]))
    return section(
        "results",
        "Results",
        _grid("Results", "", found.columns[: found.costs], reached),
        tag("h3", "What it took"),
        _grid("What it took", "", found.columns[found.costs :], took),
        tag("p", legend(results), class_="note"),
    )


def _grid(name: str, corner: str, columns: Sequence[str], rows: Sequence[tuple[object, Sequence[object]]]) -> Html:
    """A table of numbers: what each row is, and its cells."""
    heads = [tag("th", column, scope="col", class_="number") for column in columns]
    top = tag("tr", tag("th", corner, scope="col") if corner else tag("td"), heads)
    body = [tag("tr", tag("th", first, scope="row"), map(number_cell, cells)) for first, cells in rows]
    return scrolling(tag("table", tag("thead", top), tag("tbody", body), class_="compared"), name)


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
    rows = []
    for number, group in enumerate(groups):
        span = f"{group.first:,}" if group.first == group.last else f"{group.first:,}–{group.last:,}"
        cells = [_value(line, number, items["percent"]) for line in lines]
        rows.append((span, [*cells, f"{len(group.rows):,}"]))
    numbers = _grid("By length", unit, [*(line.name for line in lines), "items"], rows)
    note = tag("p", about, class_="note")
    return section("length", "By length", note, _keys(results), tag("div", chart, numbers, class_="charts"))


def _value(line: Line, number: int, percent: bool) -> str:
    if number >= len(line.points):
        return "–"
    value = line.points[number][1]
    return f"{value:.2%}" if percent else f"{value:.4g}"


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
    columns = ("difference", "95 % interval", "seeds", "p", "p, adjusted", "larger than chance")
    rows = [(f"{pair.second} − {pair.first}", _pair(pair, results.metric)) for pair in results.pairs]
    note = "p is of the paired bootstrap, adjusted for the number of pairs by Holm; seeds: the difference for each."
    return section("pairs", "Every pair", tag("p", note, class_="note"), _grid("Every pair", "", columns, rows))


def _pair(pair: Pair, metric: str) -> list[object]:
    low, high = (apart(metric, bound, sign=True) for bound in pair.interval)
    seeds = ", ".join(apart(metric, value, sign=True) for value in pair.by_seed)
    found = tag("strong", "yes") if pair.holds else "not for every seed" if pair.beyond_items else "no"
    return [
        apart(metric, pair.difference, sign=True),
        f"{low} … {high}",
        seeds,
        f"{pair.p:.3g}",
        f"{pair.adjusted:.3g}",
        found,
    ]


def _ladders(results: Results) -> Html | None:
    climbed = [arm for arm in results.arms if arm.told["ladder"]]
    if not climbed:
        return None
    columns = [*(f"× {rung['factor']:g}" for rung in climbed[0].told["ladder"]), "chosen"]
    rows = []
    for arm in climbed:
        cells = [tag("strong", word.strip("*")) if word.startswith("*") else word for word in rungs(results, arm)]
        rows.append((arm.name, [*cells, f"{arm.told['learning_rate']:g}"]))
    note = "Short trainings of every arm with multiples of its learning rate, by the valid part; the best is taken."
    return section("rates", "Learning rates", tag("p", note, class_="note"), _grid("Learning rates", "", columns, rows))


def _about(results: Results) -> Html:
    plan = results.plan
    said = [line.strip() for sentence in plan["said"] for line in sentence.splitlines() if line.strip()]
    said += [*results.signatures.values(), f"FLOPs: {plan['flops']}"]
    command = tag("pre", tag("code", escape(plan["command"])), tabindex=0)
    items = tag("ul", [tag("li", cut(line)) for line in said])
    return section("about", "Made with", command, tag("details", tag("summary", "Data and choices"), items))
