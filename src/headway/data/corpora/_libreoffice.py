"""LibreOffice's help: the same pages in many languages, each paragraph with the same id."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from headway.data.corpora import Corpus, Package, Record, fold

HELP = "usr/share/libreoffice/help"
PARAGRAPH = re.compile(r'<(p|h[1-6])\b[^>]*\bid="([^"]+)"[^>]*>(.*?)</\1>', re.DOTALL)
SPAN = re.compile(r"(<span\b[^>]*>|</span>)")
HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


def pages(language: str) -> str:
    """The pattern of the pages in a language, named as in the help's folders."""
    return f"{HELP}/{language}/text/**/*.html"


def edition(package: str) -> Package:
    """Debian's packages of the English help and of another language; whichever version the release has."""
    return Package("apt", ("libreoffice-help-en-us", package), megabytes=5.2)


class LibreOfficeHelp(Corpus):
    question = "transduce"
    licence = "MPL-2.0"
    split_by = "page"
    language: ClassVar[str]
    "The folder of the target's language."
    han: ClassVar[bool] = False
    "Whether a target must hold a Chinese character: what was left untranslated then drops out."

    def records(self, root: Path) -> Iterator[Record]:
        for path in sorted((root / HELP / "en-US" / "text").glob("**/*.html")):
            page = path.relative_to(root / HELP / "en-US" / "text")
            other = root / HELP / self.language / "text" / page
            if not other.is_file():
                continue
            translated = paragraphs(other)
            for key, source in paragraphs(path).items():
                target = translated.get(key, "")
                if source and target and source != target and (not self.han or HAN.search(target)):
                    yield Record(page.as_posix(), source, target)


def paragraphs(path: Path) -> dict[str, str]:
    """The text of every paragraph and heading of a page, by its id."""
    found: dict[str, str] = {}
    for _, key, inner in PARAGRAPH.findall(path.read_text(encoding="utf-8")):
        plain = re.sub(r"<[^>]*>", "", re.sub(r"<br\s*/?>", " ", shown(inner)))
        found.setdefault(key, fold(html.unescape(plain)))
    return found


def shown(inner: str) -> str:
    """A paragraph as a reader sees it: of the wordings for several systems or programs, the default or else the first.

    All of them stand in the page, hidden: `press <span class="switchinline"><span hidden class="MAC">Command</span>
    <span hidden>Ctrl</span></span>` would otherwise read `press CommandCtrl`.
    """
    if "switch" not in inner:
        return inner
    stack = [_Span("")]
    for piece in SPAN.split(inner):
        if piece.startswith("<span"):
            stack.append(_Span(piece))
        elif piece == "</span>" and len(stack) > 1:
            span = stack.pop()
            stack[-1].add(span.opening, span.text())
        else:
            stack[-1].add("", piece)
    return "".join(span.text() for span in stack)


class _Span:
    """An open span: what was written in it so far, and the alternatives where it is a switch."""

    def __init__(self, opening: str):
        self.opening, self.written, self.options = opening, "", dict[bool, str]()

    def add(self, opening: str, text: str) -> None:
        if "switch" in self.opening and "hidden" in opening:
            self.options.setdefault("class=" not in opening, text)
        else:
            self.written += text

    def text(self) -> str:
        return self.options.get(True, self.options.get(False, self.written))
