"""A view as one page: drawn here as it is first seen, and redrawn by a small script when another head is chosen.

The page is one file and asks nothing of any network; its policy lets one script run, by its hash, and no other. Without
scripts it still shows every part as it is first seen.
"""

import base64
import hashlib
import json
from html import escape as escape_attribute
from importlib import resources

from headway.batch import ClassifyAnswer, TransduceAnswer
from headway.errors import UsageError
from headway.inspection.drawing import drawing, frames, heat
from headway.inspection.scenes import Spectrogram
from headway.inspection.view import NOTE, Picture, View
from headway.report.charts import bar
from headway.report.markup import NEW_LINE, Html, cut, join, tag
from headway.report.page import QUESTIONS, head
from headway.report.sections import number_cell, scrolling, section
from headway.report.units import language_of
from headway.report.wording import plural, signed, significant
from headway.version import __version__

MOST = 1_500_000
"""Weights that a page holds at most: a dozen megabytes."""
TITLES = {"encoder": "The input", "decoder": "What is written", "cross": "From what is written to the input"}


def page(view: View) -> str:
    """The page as text: the same view gives the same page. Raises UsageError for one that no browser would open."""
    _check(view)
    script = resources.files("headway.inspection").joinpath("page.js").read_text(encoding="utf-8")
    style = resources.files("headway.inspection").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = [
        ("attention", "Where it looked", _attention(view)),
        ("attributions", "What the output follows", _attributions(view)),
        ("trace", "How it was decided", _trace(view)),
    ]
    shown = [(name, title, content) for name, title, content in parts if content is not None]
    links = [tag("a", title, href=f"#{name}") for name, title, _ in shown]
    main = tag("main", join([section(*each) for each in shown], NEW_LINE))
    body = tag(
        "body",
        _header(view, links),
        main,
        tag("footer", tag("p", f"headway {__version__}")),
        tag("script", _embedded(view), type="application/json", id="view"),
        tag("script", Html(script)),
    )
    top = head(view.source, style, f"; script-src 'sha256-{digest}'")
    return f"<!DOCTYPE html>\n{tag('html', top, body, lang=language_of([view.source]) or 'en')}\n"


def framed(view: View) -> str:
    """The page in a frame of its own, as a notebook shows it: the notebook's style and scripts stay outside."""
    inside = escape_attribute(page(view), quote=True)  # with its lines, which the script and its hash need
    return Html(f'<iframe srcdoc="{inside}" style="width:100%;height:46rem;border:0" title="attention"></iframe>')


def _check(view: View) -> None:
    if view.size > MOST:
        raise UsageError(
            f"a page of {view.size:,} weights would be too large for a browser (at most {MOST:,}): choose layers and "
            "heads, as in inspect(…, layers=0, heads=[0, 1]) or --layer 0 --head 1, or a shorter input"
        )


def _embedded(view: View) -> Html:
    """The view as JSON in which nothing can end the element that holds it."""
    text = json.dumps(view.as_json(), ensure_ascii=False, separators=(",", ":"))
    return Html(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _header(view: View, links: list[Html]) -> Html:
    return tag(
        "header",
        tag("p", tag("b", view.task), f" {QUESTIONS.get(view.task, '')}", class_="kind"),
        tag("h1", cut(view.source, 120)),
        tag("p", "answered: ", tag("strong", cut(_answered(view), 300)), class_="summary"),
        tag("nav", links, aria_label="Parts of the page"),
    )


def _answered(view: View) -> str:
    told = str(view.answer)
    if isinstance(view.answer, ClassifyAnswer):
        return f"{told or 'no label'} ({view.answer.score:.1%})"
    return told or "nothing"


# ------------------------------------------------------------------------------------------------------- attention


def _attention(view: View) -> Html:
    missing = [tag("p", reason, class_="note") for reason in view.missing.values()]
    if not view.maps:
        return join([tag("p", NOTE, class_="note"), missing])
    panels = [_panel(view, part) for part in view.maps]
    return join([tag("p", NOTE, class_="note"), _choosers(view), panels, missing])


def _choosers(view: View) -> Html:
    """What is shown, by the three lists that every browser knows; they do nothing without the script."""
    found = view.maps[view.part]
    parts = [tag("option", TITLES[part], value=part, selected=part == view.part) for part in view.maps]
    layers = [tag("option", str(n), value=n, selected=n == found.layers[-1]) for n in found.layers]
    heads = [tag("option", "mean of all", value="mean"), *(tag("option", str(n), value=n) for n in found.heads)]
    chosen = (("part", "part", parts), ("layer", "layer", layers), ("head", "head", heads))
    lists = [tag("label", name, tag("select", options, id=name_)) for name, name_, options in chosen]
    return tag("form", lists, class_="choosers", hidden=True)


def _panel(view: View, part: str) -> Html:
    """One part: who looks, what it looked at, and the whole table."""
    picture = view.picture(part)
    return tag(
        "div",
        tag("h3", picture.title, class_="title"),
        tag("div", _askers(view, part, picture), class_="askers", role="group", aria_label="Who looks"),
        tag("div", _looked_at(view, part, picture), class_="looked"),
        tag("p", f"all looked most at {picture.told()}", class_="told", aria_live="polite"),
        tag("div", heat(picture), class_="scroll", role="region", tabindex=0,
            aria_label=f"heat map: {picture.title}"),
        tag("p", class_="pointed", aria_live="off"),
        class_="panel",
        data_part=part,
        hidden=part != view.part,
    )  # fmt: skip


def _askers(view: View, part: str, picture: Picture) -> list[Html]:
    """A button for everyone who looks, and one for all together; a tagger's elements stand beside their labels."""
    labels = view.outputs if view.task == "tag" and part == "encoder" else ()
    made = [tag("button", "all", type="button", data_row="all", aria_pressed="true")]
    for number, name in enumerate(picture.rows):
        label = tag("small", f" {labels[number]}") if number < len(labels) else None
        made.append(tag("button", cut(name, 40), label, type="button", data_row=number, aria_pressed="false"))
    return made


def _looked_at(view: View, part: str, picture: Picture) -> Html:
    """The elements that are looked at, in the shade of what all together take of them."""
    if view.scene is not None and part != "decoder":
        of = view.scene
        return frames(of, picture) if isinstance(of, Spectrogram) else drawing(of, picture)
    shades = picture.row_shades()
    words = [
        tag("span", cut(name, 40), class_=f"s{shade}", data_column=number)
        for number, (name, shade) in enumerate(zip(picture.columns, shades, strict=True))
    ]
    return tag("p", join(words, " "), class_="words")


# ------------------------------------------------------------------------------------- attributions and the decisions


def _attributions(view: View) -> Html | None:
    if not view.attributions:
        return None
    tables = []
    for each in view.attributions:
        top = max(map(abs, each.values), default=0.0) or 1.0
        rows = [
            tag(
                "tr",
                tag("th", cut(name, 40), scope="row"),
                tag("td", bar(abs(value) / top, look="error" if value < 0 else None), class_="drawn"),
                number_cell(signed(significant(value, 3))),
            )
            for name, value in zip(each.elements, each.values, strict=True)
        ]
        sums = f"the output is {significant(each.output)}, without any of the input {significant(each.baseline)}; "
        sums += f"what the elements add sums to the difference up to {each.gap:.1g}"
        tables += [
            tag("h3", each.of),
            tag("p", signed(f"{each.method}: {sums}."), class_="note"),
            scrolling(tag("table", tag("tbody", rows), class_="bars lengths"), f"attribution of {each.of}"),
        ]
    return join(tables)


def _trace(view: View) -> Html | None:
    if not view.trace:
        return None
    rows = []
    for decision in view.trace:
        others = ", ".join(f"{piece} {_p(log_p)}" for piece, log_p in decision.others)
        cells = tag("td", decision.what), tag("td", tag("strong", str(decision.taken)))
        rows.append(tag("tr", number_cell(decision.where), cells, number_cell(_p(decision.log_p)), tag("td", others)))
    names = [("position", "number"), ("decision", None), ("taken", None), ("probability", "number"), ("instead", None)]
    top = tag("tr", [tag("th", name, scope="col", class_=look) for name, look in names])
    calls = view.answer.calls if isinstance(view.answer, TransduceAnswer) else 0
    note = tag("p", f"{plural(calls, 'pass', 'passes')} through a decoder.", class_="note") if calls else None
    table = scrolling(tag("table", tag("thead", top), tag("tbody", rows)), "decisions")
    return join([note, table])


def _p(log_p: float) -> str:
    return f"{2.718281828459045**log_p:.3f}"
