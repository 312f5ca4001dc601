"""What heads do over a data set as one page that needs no network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from headway.inspection.averages import FLAT, Head, sentences
from headway.inspection.view import NOTE, TOLD
from headway.report.charts import heat_map
from headway.report.markup import NEW_LINE, cut, join, tag
from headway.report.page import head
from headway.report.scale import shades_of
from headway.report.sections import chart_figure, number_cell, scrolling, section
from headway.report.wording import plural, significant
from headway.version import __version__


def page(run: str, examples: int, heads: Mapping[str, Sequence[Head]]) -> str:
    """The page of the heads of each part; the same heads give the same page."""
    parts = [section(part, f"{part}: {TOLD[part]}", _part(part, list(found))) for part, found in heads.items() if found]
    links = [tag("a", part, href=f"#{part}") for part, found in heads.items() if found]
    header = tag(
        "header",
        tag("p", tag("b", "heads"), f" over {plural(examples, 'example')}", class_="kind"),
        tag("h1", cut(Path(run).name, 120)),
        tag("p", NOTE, class_="note"),
        tag("nav", links, aria_label="Parts of the model"),
    )
    body = tag("body", header, tag("main", join(parts, NEW_LINE)), tag("footer", tag("p", f"headway {__version__}")))
    return f"<!DOCTYPE html>\n{tag('html', head(f'heads of {run}'), body, lang='en')}\n"


def columns(heads: Sequence[Head]) -> list[str]:
    """The names of the columns of `row`."""
    return ["head", "role", *heads[0].shares, "entropy", "distance"]


def row(one: Head) -> list[str]:
    """One head as text: its shares by place, its entropy, how far it looks."""
    role = one.role or ("everywhere" if one.entropy >= FLAT else "")
    shares = [f"{share:.2f}" for share in one.shares.values()]
    distance = "" if one.distance is None else significant(one.distance, 2)
    return [f"layer {one.layer} head {one.head}", role, *shares, f"{one.entropy:.2f}", distance]


def _part(part: str, heads: list[Head]) -> object:
    first, second, *others = columns(heads)
    top = [tag("th", name, scope="col") for name in (first, second)]
    top += [tag("th", name, scope="col", class_="number") for name in others]
    rows = []
    for one in heads:
        name, role, *numbers = row(one)
        cells = tag("td", tag("strong", role)), map(number_cell, numbers)
        rows.append(tag("tr", tag("th", name, scope="row"), *cells))
    table = scrolling(tag("table", tag("thead", tag("tr", top)), tag("tbody", rows)), f"heads of {part}")
    values = [list(one.shares.values()) for one in heads]
    names = [f"{one.layer}.{one.head}" for one in heads]
    title = "Share of the attention by place"
    chart = heat_map(values, shades_of(values), names, list(heads[0].shares), f"{title}; rows are layer.head")
    told = [tag("li", line) for line in sentences(heads)]
    figure = chart_figure(title, chart, tag("span", "rows are layer.head"))
    return join([tag("ul", told), table, tag("div", figure, class_="charts small")])
