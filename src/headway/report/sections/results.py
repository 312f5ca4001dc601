"""What came out: in one sentence, beside the baselines, and what it took."""

import math
import shlex
from collections.abc import Sequence

from headway.report.findings import Findings
from headway.report.markup import Html, cut, join, tag
from headway.report.sections import number_cell, scrolling, section
from headway.report.wording import (
    duration,
    is_better_higher,
    is_percent,
    large,
    measured,
    metric_name,
    plural,
    significant,
)

OURS = "this run"


def summary(findings: Findings) -> str:
    """The result in one or two sentences."""
    facts = findings.facts
    if findings.stopped:
        at = f" at step {facts['step']:,.0f}" if "step" in facts else ""
        return f"Training was stopped{at}, before its end. Nothing was measured; it can be resumed."
    part, name = reported(findings)
    if part is None or name is None:
        return "There was no valid and no test part, so nothing was measured."
    value = findings.metrics[part][name]
    count = findings.counts.get(part)
    of = f" of {plural(count, 'example')}" if count is not None else ""
    first = f"{_capital(metric_name(name))} is {measured(name, value)} on the {part} part{of}."
    others = {method: of[part][name] for method, of in findings.baselines.items() if name in of.get(part, {})}
    others = {method: other for method, other in others.items() if math.isfinite(other)}
    if not others:
        return first
    best = (max if is_better_higher(name) else min)(others, key=lambda method: others[method])
    return f"{first} {_compared(name, value, best, others[best])}"


def reported(findings: Findings) -> tuple[str | None, str | None]:
    """(the part that is spoken of, its first metric)."""
    for part in (findings.part, "test", "valid"):
        if part is not None and findings.metrics.get(part):
            return part, next(iter(findings.metrics[part]))
    return None, None


def _compared(name: str, value: float, method: str, other: float) -> str:
    words = measured(name, other)
    if not math.isfinite(value):
        return f"The best baseline, {method}, has {words}."
    if measured(name, value) == words:
        return f"The best baseline, {method}, has {words}, too."
    apart = f"{100 * abs(value - other):.2f} points" if is_percent(name) else significant(abs(value - other), 3)
    better = (value > other) == is_better_higher(name)
    return f"The best baseline, {method}, has {words}: the model is {apart} {'better' if better else 'worse'}."


def results(findings: Findings) -> Html | None:
    """The table of methods and metrics, and how to go on."""
    parts = [part for part in ("valid", "test") if findings.metrics.get(part)]
    parts += [part for part in findings.metrics if part not in ("valid", "test") and findings.metrics[part]]
    table = None
    if parts:
        table = [scrolling(_table(findings, parts), "Results"), _notes(findings)]
    return section("results", "Results", table, _facts(findings), _commands(findings))


def _table(findings: Findings, parts: Sequence[str]) -> Html:
    columns = [(part, name) for part in parts for name in findings.metrics[part]]
    rows = {**findings.baselines, OURS: findings.metrics}
    best = {column: _best(column, rows) for column in columns}
    head = [tag("td")]
    for part in parts:
        count = findings.counts.get(part)
        words = [part, tag("small", f"{plural(count, 'example')}") if count is not None else None]
        head.append(tag("th", words, scope="colgroup", colspan=len(findings.metrics[part])))
    names = [tag("td")]
    for _, name in columns:
        way = "higher is better" if is_better_higher(name) else "lower is better"
        arrow = tag("span", "↑" if is_better_higher(name) else "↓", title=way, role="img", aria_label=way)
        names.append(tag("th", metric_name(name), " ", arrow, scope="col"))
    body = []
    for method, values in rows.items():
        cells = [_cell(values.get(part, {}).get(name), name, best[part, name]) for part, name in columns]
        row = tag("th", method, scope="row")
        body.append(tag("tr", row, cells, class_="ours" if method == OURS else None))
    return tag("table", tag("thead", tag("tr", head), tag("tr", names)), tag("tbody", body), class_="results")


def _best(column: tuple[str, str], rows: dict) -> str | None:
    """The best figure of a column, as it is written: what is written the same is as good."""
    part, name = column
    values = [v for of in rows.values() if (v := of.get(part, {}).get(name)) is not None and math.isfinite(v)]
    if not values:
        return None
    return measured(name, (max if is_better_higher(name) else min)(values))


def _cell(value: float | None, name: str, best: str | None) -> Html:
    words = "–" if value is None else measured(name, value)
    return number_cell(tag("strong", words) if words == best else words)


def _notes(findings: Findings) -> Html | None:
    rows = [join([tag("dt", method), tag("dd", note)]) for method, note in findings.notes.items() if note]
    about = "The best figure of each column is bold. Figures are of the weights that were best on the valid part."
    return join([tag("p", about, class_="note"), tag("dl", rows, class_="notes") if rows else None])


def _facts(findings: Findings) -> Html | None:
    facts, machine = findings.facts, findings.environment.get("machine", {})
    seconds, tokens = facts.get("seconds"), facts.get("tokens")
    shown = [
        ("training time", None if seconds is None else duration(seconds)),
        ("steps", None if "step" not in facts else f"{facts['step']:,.0f}"),
        ("tokens/s overall", f"{tokens / seconds:,.0f}" if tokens and seconds else None),
        ("tokens seen", None if tokens is None else large(tokens)),
        ("parameters", large(facts["parameters"]) if "parameters" in facts else None),
        ("machine", machine.get("gpu") or machine.get("processor")),
    ]
    cells = [tag("div", tag("dt", name), tag("dd", value)) for name, value in shown if value]
    return tag("dl", cells, class_="facts") if cells else None


def _commands(findings: Findings) -> Html:
    run = shlex.quote(findings.title)
    lines = [
        (f"headway predict {run} {findings.asked}", "ask it"),
        (f"headway evaluate {run} DATA", "measure it on other data"),
        (f"headway train DATA --out NEW --from {run}", "train on, with other data"),
    ]
    if findings.stopped:
        lines = [(f"headway train DATA --out {run} --resume", "go on where it stopped")]
    rows = [tag("tr", tag("td", tag("code", line)), tag("td", about)) for line, about in lines]
    where = tag("p", "In the folder that holds ", tag("b", cut(findings.title, 120)), ":", class_="note")
    return join([tag("h3", "Next"), where, scrolling(tag("table", tag("tbody", rows), class_="commands"), "Commands")])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
