"""Markup that cannot be broken by what it holds: every text is made safe unless it is markup already."""

import html
from collections.abc import Iterable, Iterator

JOINERS = "\u200c\u200d"
"""Formatting characters that stay: they join letters and emoji, and move nothing."""
LIMIT = 400
"""Characters of a text from the data that are shown."""
EMPTY = frozenset({"meta", "link", "br", "path", "line", "rect", "circle"})
"""Elements that hold nothing."""


class Html(str):
    """Text that is markup: whole elements, made by `tag` and `join` alone."""

    __slots__ = ()


NEW_LINE = Html("\n")


def tag(element: str, *children: object, **attributes: object) -> Html:
    """An element. Children that are not markup are escaped; `class_` is class, `aria_label` aria-label.

    An attribute that is None or False is left out, one that is True stands alone.

    >>> tag("td", "a < b", class_="number")
    '<td class="number">a &lt; b</td>'
    """
    given = "".join(_attribute(name, value) for name, value in attributes.items())
    if element in EMPTY:
        return Html(f"<{element}{given}/>")
    return Html(f"<{element}{given}>{join(children)}</{element}>")


def join(children: Iterable[object], between: str = "") -> Html:
    """Children one after another; None is nothing, and lists are laid open."""
    return Html((between if isinstance(between, Html) else escape(between)).join(_flat(children)))


def escape(text: object) -> Html:
    """Any text as markup that shows it."""
    return Html(html.escape(visible(str(text))))


def visible(text: str) -> str:
    """A text in which nothing is hidden: all blanks are one blank, control and direction characters are spelled out.

    >>> visible("a\\u202eb\\tc")
    'a\\\\u202eb c'
    """
    if text.isprintable():
        return text
    return "".join(_visible(c) for c in text)


def cut(text: str, limit: int = LIMIT) -> str:
    """The beginning of a long text, with an ellipsis; nothing in it is hidden, so that its length is what it takes."""
    text = visible(text[: limit + 1])
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _visible(c: str) -> str:
    if c.isprintable() or c in JOINERS:
        return c
    return " " if c.isspace() else c.encode("unicode_escape").decode()


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(value)}"'


def _flat(children: Iterable[object]) -> Iterator[str]:
    for child in children:
        if isinstance(child, Html):
            yield child
        elif isinstance(child, (list, tuple, Iterator)):
            yield from _flat(child)
        elif child is not None:
            yield escape(child)
