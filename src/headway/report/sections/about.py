"""What the figures were made with: data, scorers, machine, settings."""

from collections.abc import Iterable, Mapping
from typing import Any

from headway.report.findings import Findings
from headway.report.markup import NEW_LINE, Html, cut, escape, join, tag
from headway.report.sections import scrolling, section

LINES = 400
"""Lines of settings that are shown; all are in run.yaml."""
SENTENCES = 60


def about(findings: Findings) -> Html | None:
    """Everything else, folded."""
    blocks = [
        _folded("Data and choices", _sentences(findings)),
        _folded("What the figures are", _pairs(findings.signatures.items())),
        _folded("Machine", _pairs(_environment(findings.environment))),
        _folded("Settings", _settings(findings.settings)),
    ]
    blocks = [block for block in blocks if block is not None]
    return section("about", "Made with", blocks) if blocks else None


def _folded(title: str, content: Html | None) -> Html | None:
    return None if content is None else tag("details", tag("summary", title), content)


def _sentences(findings: Findings) -> Html | None:
    lines = [line.strip() for sentence in findings.said for line in sentence.splitlines() if line.strip()]
    if not lines:
        return None
    items = [tag("li", cut(line)) for line in lines[:SENTENCES]]
    if len(lines) > SENTENCES:
        items.append(tag("li", f"… and {len(lines) - SENTENCES:,} more"))
    return tag("ul", items)


def _pairs(pairs: Iterable[tuple[str, Any]]) -> Html | None:
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", tag("code", cut(str(value))))) for name, value in pairs]
    return scrolling(tag("table", tag("tbody", rows), class_="pairs"), "Names and values") if rows else None


def _environment(environment: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in [*environment.get("machine", {}).items(), *environment.get("data", {}).items()][:40]:
        if isinstance(value, Mapping):
            value = ", ".join(f"{key} {version}" for key, version in value.items())
        if isinstance(value, (list, tuple)):
            value = " ".join(map(str, value))
        if value is not None:
            yield name, value


def _settings(settings: str) -> Html | None:
    """YAML with the origins, which are its comments, set off."""
    lines = settings.splitlines()
    if not lines:
        return None
    rows: list[Html] = []
    for line in lines[:LINES]:
        value, sign, origin = cut(line).partition(" # ")
        rows.append(tag("b", value, tag("i", sign + origin)) if sign else escape(value))
    if len(lines) > LINES:
        rows.append(Html(f"… and {len(lines) - LINES:,} more lines in run.yaml"))
    note = "Values that are not the default are bold, with where each came from. The same as a file: run.yaml."
    code = tag("pre", tag("code", join(rows, NEW_LINE)), tabindex=0)
    return join([tag("p", note, class_="note"), code])
