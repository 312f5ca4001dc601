"""Labels: how well each is found, and what is taken for what."""

from headway.metrics._confusion import OTHERS, LabelRow, Matrix
from headway.report.charts import bar
from headway.report.findings import Findings
from headway.report.labels import LEVELS, LabelTable, confusions, label_findings, shades
from headway.report.markup import Html, cut, join, tag
from headway.report.sections import number_cell, scrolling, section
from headway.report.units import language_of
from headway.report.wording import plural, small_count

LETTERS = 40
"""Characters of a label that are shown."""
FEW = 6
"""Labels whose names stand upright above the columns of the matrix."""


def labels(findings: Findings) -> Html | None:
    """Tables by label and by type of span, and the confusion matrix."""
    found = label_findings(findings.examples, findings.answers)
    if found is None:
        return None
    lang = language_of(list(found.matrix.labels))
    what = "elements" if findings.task == "tag" else "examples"
    by_span = None
    if found.spans is not None:
        by_span = [
            tag("h3", "Spans by type"),
            tag("p", "A span is right only with the right type and both ends.", class_="note"),
            _table(found.spans, "type", "spans", lang),
        ]
    return section(
        "labels",
        "Labels",
        by_span,
        tag("h3", "By label"),
        _table(found.labels, "label", what, lang),
        tag("h3", "What is taken for what"),
        _confused(found.matrix),
        _matrix(found.matrix, lang),
    )


def _table(table: LabelTable, first: str, what: str, lang: str) -> Html:
    head = [
        tag("th", first, scope="col"),
        tag("th", "F1", scope="col", colspan=2),
        *(tag("th", name, scope="col") for name in ("precision", "recall", what, "given")),
    ]
    rows = [_row(row, tag("bdi", cut(row.label, LETTERS), lang=lang or None)) for row in table.rows]
    if table.rest is not None:
        rows.append(_row(table.rest, tag("em", f"{plural(table.hidden, 'more label')}, together")))
    return scrolling(tag("table", tag("thead", tag("tr", head)), tag("tbody", rows), class_="bars"), f"By {first}")


def _row(row: LabelRow, name: Html) -> Html:
    shares = [number_cell(f"{100 * value:.1f}") for value in (row.f1, row.precision, row.recall)]
    counts = [number_cell(f"{count:,}") for count in (row.support, row.predicted)]
    return tag("tr", tag("th", name, scope="row"), tag("td", bar(row.f1), class_="drawn"), shares, counts)


def _confused(matrix: Matrix) -> Html:
    found = confusions(matrix)
    if not found:
        return tag("p", "Nothing was taken for anything else.", class_="note")
    shown = []
    for right, given, count in found:
        names = [tag("bdi", cut(name, LETTERS)) for name in (right, given)]
        shown.append(join([tag("b", names[0]), " taken for ", tag("b", names[1]), f" {count:,}×"]))
    return tag("p", "Most often: ", join(shown, ", "), ".", class_="note")


def _matrix(matrix: Matrix, lang: str) -> Html:
    few = len(matrix.labels) <= FEW
    levels, totals = shades(matrix.counts), matrix.counts.sum(1)
    names = [tag("bdi", cut(name, LETTERS), lang=lang or None) for name in matrix.labels]
    rows = []
    for i, name in enumerate(names):
        cells = []
        for j, count in enumerate(matrix.counts[i].tolist()):
            classes = " ".join([f"s{levels[i, j]}"] * bool(count) + ["right"] * (i == j))
            title = None
            if count:
                share = f"{count / totals[i]:.1%}"
                title = f"{_short(matrix.labels[i])} → {_short(matrix.labels[j])}: {count:,} of {totals[i]:,}, {share}"
            cells.append(tag("td", small_count(count) if count else None, class_=classes or None, title=title))
        rows.append(tag("tr", tag("th", name, scope="row"), cells))
    corner = tag("td", tag("span", "right ↓"), " ", tag("span", "given →"))
    head = tag("tr", corner, [tag("th", tag("span", name), scope="col") for name in names])
    look = "matrix" + (" few" if few else "")
    table = tag("table", tag("thead", head), tag("tbody", rows), class_=look)
    return join([scrolling(table, "Confusion matrix"), _legend(matrix)])


def _short(label: str) -> str:
    return cut(label, 20)


def _legend(matrix: Matrix) -> Html:
    words = [f"{level:.0%}" for level in LEVELS[1:]]
    names = [f"below {words[0]}", *(f"from {word}" for word in words)]
    cells = [tag("li", name, class_=f"s{number}") for number, name in enumerate(names, 1)]
    about = "A row is a right label, a column what was given. Shades are shares of the row; the diagonal is framed."
    if OTHERS in matrix.labels:
        about += f" {OTHERS} are all rarer labels as one."
    return join([tag("p", about, class_="note"), tag("ul", cells, class_="shades", aria_label="Shades")])
