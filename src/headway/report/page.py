"""The whole page: one file, without a script, that asks nothing of any network."""

from importlib import resources
from pathlib import Path

from headway import storage
from headway.report.findings import Findings
from headway.report.grades import grades
from headway.report.markup import NEW_LINE, Html, cut, join, tag
from headway.report.sections.about import about
from headway.report.sections.answers import answers
from headway.report.sections.labels import labels
from headway.report.sections.lengths import lengths
from headway.report.sections.results import results, summary
from headway.report.sections.training import training
from headway.version import __version__

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do for this page: draw it. Even if a text broke out of its place, nothing would run."""
QUESTIONS = {
    "tag": "a label for every element",
    "classify": "a label for the whole",
    "regress": "a number for the whole",
    "transduce": "a new sequence",
}


def write_report(path: Path, findings: Findings) -> None:
    """Write the page of a training, all of it or nothing. Raises RunError."""
    storage.write(path, page(findings).encode())


def page(findings: Findings) -> str:
    """The page as text: the same findings give the same page."""
    graded = grades(findings.examples, findings.answers, findings.metric_names)
    parts = [
        ("results", "Results", results(findings)),
        ("training", "Training", training(findings)),
        ("labels", "Labels", labels(findings)),
        ("lengths", "By length", lengths(graded)),
        ("answers", "Answers", answers(graded, findings.metric_names, findings.part)),
        ("about", "Made with", about(findings)),
    ]
    links = [tag("a", title, href=f"#{name}") for name, title, part in parts if part is not None]
    main = tag("main", join([part for _, _, part in parts], NEW_LINE))
    body = tag("body", _header(findings, links), main, tag("footer", tag("p", f"headway {__version__}")))
    return f"<!DOCTYPE html>\n{tag('html', head(findings.title), body, lang='en')}\n"


def head(title: str, more: str = "", allowed: str = "") -> Html:
    """The head of a page that asks nothing of any network: title, policy and style.

    more       style of its own
    allowed    what the policy allows beyond drawing: the hash of the page's own script
    """
    style = resources.files("headway.report").joinpath("report.css").read_text(encoding="utf-8")
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY + allowed),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"{cut(title, 80)} · headway"),
        tag("style", Html("\n" + style + more)),
    )


def _header(findings: Findings, links: list[Html]) -> Html:
    question = QUESTIONS.get(findings.task)
    return tag(
        "header",
        tag("p", tag("b", findings.task), f" {question}" if question else None, class_="kind"),
        tag("h1", cut(findings.title, 120)),
        tag("p", summary(findings), class_="summary"),
        tag("nav", links, aria_label="Parts of the page"),
    )
