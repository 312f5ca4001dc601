"""race.html: the race as one page that needs no network, in the look of the reports."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from headway.lab.race.results import Results
from headway.lab.race.table import legend, table
from headway.lab.race.verdict import verdict
from headway.report.charts import LARGE, Line, line_chart
from headway.report.grades import Bucket, buckets
from headway.report.markup import NEW_LINE, Html, cut, escape, join, tag
from headway.report.page import head
from headway.report.sections import chart_figure, number_cell, scrolling, section
from headway.report.wording import plural, significant
from headway.version import __version__

COLOURS = 8
"""Lines that are told apart by colour; further ones are grey."""


def page(results: Results) -> str:
    """The page as text: the same results give the same page."""
    parts = [
        ("results", "Results", _results(results)),
        ("batch", "By batch", _batch(results)),
        ("length", "By length", _length(results)),
        ("about", "Made with", _about(results)),
    ]
    links = [tag("a", title, href=f"#{name}") for name, title, part in parts if part is not None]
    sentences = verdict(results)
    size = (
        f"{plural(len(results.rows), 'contestant')}, {plural(results.examples, 'example')} of the {results.part} part"
    )
    header = tag(
        "header",
        tag("p", tag("b", "race"), f" {size}", class_="kind"),
        tag("h1", cut(Path(results.data).name, 120)),
        tag("p", " ".join(sentences[:3]), class_="summary"),
        tag("p", " ".join(sentences[3:]), class_="note") if sentences[3:] else None,
        tag("nav", links, aria_label="Parts of the page"),
    )
    main = tag("main", join([part for _, _, part in parts], NEW_LINE))
    body = tag("body", header, main, tag("footer", tag("p", f"headway {__version__}")))
    style = resources.files("headway.lab.compare").joinpath("compare.css").read_text(encoding="utf-8")
    return f"<!DOCTYPE html>\n{tag('html', head(cut(results.data, 80), style), body, lang='en')}\n"


def look(number: int) -> str:
    """The class of the contestant of that number in the style sheet."""
    return f"arm a{number + 1}" if number < COLOURS else "quiet"


def _results(results: Results) -> Html:
    found = table(results)
    names = [join([tag("span", class_=f"key {look(i)}"), row.name]) for i, row in enumerate(results.rows)]
    reached = list(zip(names, [row[: found.costs] for row in found.rows], strict=True))
    took = list(zip(names, [row[found.costs :] for row in found.rows], strict=True))
    return section(
        "results",
        "Results",
        _grid("What was written", "", found.columns[: found.costs], reached),
        tag("h3", "What it took"),
        _grid("What it took", "", found.columns[found.costs :], took),
        *(tag("p", line, class_="note") for line in legend(results)),
    )


def _batch(results: Results) -> Html | None:
    """Speed beside the first contestant over the size of batches: where a line crosses 1, the other is faster."""
    if len(results.batches) < 2:
        return None
    first = results.rows[0].name
    lines = [
        Line(row.name, [(float(np.log2(size)), results.speed(row, size)) for size in results.batches], look(number))
        for number, row in enumerate(results.rows)
    ]
    title = f"Times as fast as {first}, over the size of batches"
    ends = "; ".join(f"{line.name} ends at {significant(line.points[-1][1], 3)}" for line in lines)
    chart = line_chart(lines, f"{title}: {ends}.", size=LARGE, zero=True, unit="batch", doubling=True)
    rows = [(f"{size:,}", [significant(row.by_batch[size], 3) for row in results.rows]) for size in results.batches]
    numbers = _grid("Answers a second by batch", "batch", [row.name for row in results.rows], rows)
    note = "Above 1 a contestant is faster than the first one; the table has answers a second."
    return section(
        "batch",
        "By batch",
        tag("p", note, class_="note"),
        _keys(results),
        tag("div", chart_figure(title, chart), numbers, class_="charts"),
    )


def _length(results: Results) -> Html | None:
    """Milliseconds of one answer over the length of its source."""
    groups = buckets(np.array(results.lengths, np.int64))
    if len(groups) < 2:
        return None
    lengths = np.array(results.lengths, np.float64)
    lines = []
    for number, row in enumerate(results.rows):
        points = [(float(lengths[group.rows].mean()), _ms(row.seconds, group)) for group in groups]
        lines.append(Line(row.name, points, look(number)))
    title = f"Milliseconds of one answer over its source's length in {results.unit}"
    ends = "; ".join(f"{line.name} ends at {significant(line.points[-1][1], 3)}" for line in lines)
    chart = line_chart(lines, f"{title}: {ends}.", size=LARGE, zero=True, unit=results.unit)
    rows = []
    for number, group in enumerate(groups):
        span = f"{group.first:,}" if group.first == group.last else f"{group.first:,}–{group.last:,}"
        rows.append((span, [significant(line.points[number][1], 3) for line in lines] + [f"{len(group.rows):,}"]))
    numbers = _grid("Milliseconds by length", results.unit, [*(row.name for row in results.rows), "examples"], rows)
    note = "The median of examples of like length, answered one after another."
    return section(
        "length",
        "By length",
        tag("p", note, class_="note"),
        _keys(results),
        tag("div", chart_figure(title, chart), numbers, class_="charts"),
    )


def _ms(seconds: Sequence[float], group: Bucket) -> float:
    return 1e3 * float(np.median(np.array(seconds)[group.rows]))


def _grid(name: str, corner: str, columns: Sequence[str], rows: Sequence[tuple[object, Sequence[object]]]) -> Html:
    """A table of numbers: what each row is, and its cells."""
    heads = [tag("th", column, scope="col", class_="number") for column in columns]
    top = tag("tr", tag("th", corner, scope="col") if corner else tag("td"), heads)
    body = [tag("tr", tag("th", first, scope="row"), map(number_cell, cells)) for first, cells in rows]
    return scrolling(tag("table", tag("thead", top), tag("tbody", body), class_="compared"), name)


def _keys(results: Results) -> Html:
    keys = [tag("span", row.name, class_=f"key {look(number)}") for number, row in enumerate(results.rows)]
    return tag("p", keys, class_="keys")


def _about(results: Results) -> Html:
    command = tag("pre", tag("code", escape(results.command)), tabindex=0)
    items = tag("ul", [tag("li", cut(line)) for line in results.signatures.values()])
    return section("about", "Made with", command, tag("details", tag("summary", "Scorers"), items))
