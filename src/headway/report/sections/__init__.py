"""The parts of the page, one file each: findings in, markup out; None where there is nothing to show."""

from headway.report.markup import Html, tag


def section(name: str, title: str, *content: object) -> Html:
    """A part of the page under a heading that can be linked to."""
    return tag("section", tag("h2", title, id=f"{name}-title"), *content, id=name, aria_labelledby=f"{name}-title")


def chart_figure(title: object, chart: Html, *notes: object, look: str | None = None) -> Html:
    """A chart below its title, with what is to be said about it."""
    caption = tag("figcaption", tag("strong", title), *notes)
    return tag("figure", caption, chart, class_=look)


def scrolling(table: Html, name: str) -> Html:
    """A table that may be wider than a telephone, in a box that can be scrolled with the keyboard, too."""
    return tag("div", table, class_="scroll", role="region", aria_label=name, tabindex=0)


def number_cell(text: object, **attributes: object) -> Html:
    """A cell of a table that is read by its digits."""
    return tag("td", text, **({"class_": "number"} | attributes))
