"""A real browser for tests: Debian's Chromium by way of playwright, which brings none of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SLOW = 60_000
"""Milliseconds that a busy machine may take for anything."""


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium until the block ends; a test that asks for it is skipped where it is not there."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is here: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield made
        made.close()


class Watched:
    """A page of the browser, whose mistakes and requests are kept."""

    def __init__(self, browser: Any, port: int, **how: Any):
        how = {"locale": "en-US", "viewport": {"width": 1200, "height": 900}} | how
        self.context = browser.new_context(reduced_motion="reduce", **how)
        self.page = self.context.new_page()
        self.page.set_default_timeout(SLOW)
        self.address = f"http://127.0.0.1:{port}"
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: self.wrong.append(dialog.message))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.wrong.append(message.text)

    def goto(self, place: str = "#/ask") -> Any:
        """The page with a part of it shown, as when it is opened anew."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}/{place}")
        self.page.wait_for_selector("main h2, main form, main .quiet, main section")
        return self.page

    def ask(self, label: str, text: str) -> Any:
        """Type a text, press Enter, and wait until it is known where the model looked."""
        self.page.get_by_label(label).fill(text)
        self.page.get_by_label(label).press("Enter")
        self.page.wait_for_selector(".panel")
        return self.page

    def violations(self) -> list[str]:
        """What axe finds on the page as it is now."""
        if not AXE.is_file():
            pytest.skip("axe-core is not here: make page installs it in web/node_modules")
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("async () => (await axe.run(document)).violations")
        return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]

    def close(self) -> None:
        """Its mistakes are the test's."""
        self.context.close()
        outside = [url for url in self.asked if not url.startswith((self.address, "about:", "blob:", "data:"))]
        assert not self.wrong and not outside, (self.wrong, outside)


@contextmanager
def opened(browser: Any, port: int, **how: Any) -> Iterator[Watched]:
    """A page in a context of its own."""
    made = Watched(browser, port, **how)
    try:
        yield made
    except BaseException:
        made.context.close()
        raise
    made.close()


def texts(page: Any, selector: str) -> list[str]:
    """What stands in each of these."""
    return [one.strip() for one in page.locator(selector).all_inner_texts()]


def chooser(page: Any, name: str) -> Any:
    """The list of that name."""
    return page.get_by_role("combobox", name=name, exact=True)


def paths(page: Any, number: int = 0) -> list[str]:
    """The shades of a heat map, 1 to 7."""
    drawn = page.locator(".panel").nth(number).locator(".scroll .heat .cells path")
    return [one.get_attribute("d") or "" for one in drawn.all()]
