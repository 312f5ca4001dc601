"""Text that was read in a wrong encoding on its way here (Ã© for é, 锟斤拷), and marks of web pages left in it."""

import re
from collections.abc import Iterator

from headway.data.checks import Check, Finding, Row, Seen, Setup, counted

_HIGH = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_CANDIDATE = re.compile(f"[\xc2-\xdf][{_HIGH}]|[\xe0-\xef][{_HIGH}]{{2}}|[\xf0-\xf4][{_HIGH}]{{3}}")
SEVERAL = 3
"""Characters that are no Latin letters or marks which must have been misread before that is believed."""
_LOST = re.compile("锟斤拷|烫烫烫|屯屯屯|ï¿½")
_WEB = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,5}|#x[0-9a-fA-F]{2,5});|<(?:br|p|div|span|a|b|i)(?: [^<>]*)? ?/?>"
)


class Mojibake(Check):
    kinds = ("text",)

    def __init__(self, setup: Setup):
        super().__init__(setup)
        self.wrong, self.web = Seen(), Seen()

    def see(self, row: Row) -> None:
        for text in row.texts:
            if not text.isascii():
                if found := _LOST.search(text):
                    self.wrong.add(row, found[0])
                elif twice := twice_encoded(text):
                    self.wrong.add(row, f"{twice[0]} for {twice[1]}")
            if ("<" in text or "&" in text) and (found := _WEB.search(text)):
                self.web.add(row, found[0])

    def findings(self) -> Iterator[Finding]:
        if self.wrong.count:
            yield self.found(
                "note",
                f"{counted(self.wrong.count, 'text')} that look as if UTF-8 had been read as something else",
                self.wrong,
                "make the file anew from its source; the package ftfy repairs some",
            )
        else:
            yield self.found("ok", "no text looks as if it had been read in a wrong encoding")
        if self.web.count:
            yield self.found(
                "note",
                f"{counted(self.web.count, 'text')} with marks of a web page (&amp; <br />)",
                self.web,
                "html.unescape and leaving the tags out makes plain text of them",
            )


def twice_encoded(text: str) -> tuple[str, str] | None:
    """(what stands there, what was meant) of the first characters that are UTF-8 read as Windows-1252 or Latin-1.

    ç“” could be a quotation behind a word or one Chinese character: of such there must be several.
    """
    rare = 0
    for found in _CANDIDATE.finditer(text):
        for code in ("cp1252", "latin1"):
            try:
                meant = found[0].encode(code).decode("utf-8")
            except UnicodeError:
                continue
            if not meant.isprintable():
                continue
            usual = meant < "\u0250" or meant in "’‘“”–—…€"
            rare += not usual
            if usual or rare >= SEVERAL:
                return found[0], meant
    return None
