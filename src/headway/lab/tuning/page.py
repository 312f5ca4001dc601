"""tune.html: the trials as a table, their way to the best, and each setting against what was reached with it."""

from collections.abc import Sequence
from importlib import resources
from typing import Any

from headway import storage
from headway.lab.tuning.results import Results, Tried
from headway.report.charts import LARGE, SMALL, Line, line_chart
from headway.report.markup import NEW_LINE, Html, cut, join, tag
from headway.report.page import head
from headway.report.sections import chart_figure, number_cell, scrolling, section
from headway.report.wording import is_better_higher, is_percent, measured, plural
from headway.version import __version__


def write_pages(results: Results) -> None:
    """The page of what is known. Raises RunError."""
    storage.write(results.folder / "tune.html", page(results).encode())


def page(results: Results) -> str:
    """The page as text: the same results give the same page."""
    header = tag(
        "header",
        tag("p", tag("b", "tune"), f" {plural(len(results.trials), 'trial')}", class_="kind"),
        tag("h1", cut(results.folder.resolve().name, 120)),
        tag("p", sentence(results), class_="summary"),
    )
    parts = [_way(results), _settings(results), _table(results)]
    main = tag("main", join([part for part in parts if part is not None], NEW_LINE))
    body = tag("body", header, main, tag("footer", tag("p", f"headway {__version__}")))
    style = resources.files("headway.lab.compare").joinpath("compare.css").read_text(encoding="utf-8")
    return f"<!DOCTYPE html>\n{tag('html', head('tune', style), body, lang='en')}\n"


def sentence(results: Results) -> str:
    """What came of it, in words."""
    best = results.best
    if best is None:
        return "No trial has been trained to its end yet."
    test = "".join(f"; on the test part {name} {measured(name, value)}" for name, value in results.test.items())
    return (
        f"The best is trial {best.number} with {results.metric} {measured(results.metric, best.value or 0.0)} on the "
        f"valid part, by which it was chosen{test}."
    )


def columns(results: Results) -> list[str]:
    """The paths of the settings that are searched for."""
    return list(dict.fromkeys(path for one in results.trials for path in one.choices))


def cells(results: Results, one: Tried) -> list[str]:
    """A row of the table, behind the number of the trial."""
    value = "" if one.value is None else measured(results.metric, one.value)
    choices = [_shown(one.choices.get(path, "")) for path in columns(results)]
    return [one.state, value, *choices, "" if one.seconds is None else f"{one.seconds:,.0f} s"]


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _table(results: Results) -> Html:
    names = ["trial", "", results.metric, *(path.rpartition(".")[2] for path in columns(results)), "time"]
    rows = [[str(one.number), *cells(results, one)] for one in results.ranked]
    top = tag("thead", tag("tr", [tag("th", name, scope="col") for name in names]))
    body = tag("tbody", [tag("tr", [number_cell(cell) for cell in row]) for row in rows])
    note = "Pruned: ended early, for it lagged behind the others; its value is the last that is known."
    return section("trials", "Trials", scrolling(tag("table", top, body), "Trials"), tag("p", note, class_="note"))


def _way(results: Results) -> Html | None:
    """Every trial as it learned, and the best so far over the trials."""
    higher, best = is_better_higher(results.metric), list[tuple[int, float]]()
    for one in results.trials:
        if one.state == "finished" and one.value is not None:
            now = one.value if not best else (max if higher else min)(one.value, best[-1][1])
            best.append((one.number, now))
    if not best:
        return None
    percent = is_percent(results.metric)
    chosen = results.best.number if results.best else None
    curves = [
        Line(f"trial {one.number}", one.curve, "main" if one.number == chosen else "quiet")
        for one in results.trials
        if one.curve
    ]
    figures = [_figure("The best so far over the trials", [Line("best", best)], "trial", percent, LARGE)]
    if curves:
        figures.append(_figure("Every trial over its evaluations", curves, "evaluation", percent, LARGE))
    return section("way", f"The way to the best: {results.metric}", *figures)


def _settings(results: Results) -> Html | None:
    """For every setting that is a number: what was reached with it."""
    figures = []
    for path in columns(results):
        points = sorted(
            (float(one.choices[path]), one.value)
            for one in results.trials
            if one.state == "finished" and one.value is not None and isinstance(one.choices.get(path), int | float)
        )
        if len({x for x, _ in points}) > 1:
            line = Line(path, points, "main")
            figures.append(_figure(path, [line], path.rpartition(".")[2], is_percent(results.metric), SMALL))
    return section("settings", "What was reached with each setting", *figures) if figures else None


def _figure(title: str, lines: Sequence[Line], unit: str, percent: bool, size: Any) -> Html:
    alternative = f"{title}: " + "; ".join(f"{line.name} ends at {line.points[-1][1]:.4g}" for line in lines[:8])
    return chart_figure(title, line_chart(lines, alternative, unit=unit, percent=percent, size=size))
