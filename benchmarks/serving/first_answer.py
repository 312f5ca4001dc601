"""The page in a real browser: from its address to a form, and from Enter to an answer that is seen."""

import shutil
import time
from pathlib import Path
from typing import Any

from benchmarks.serving.process import started

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def first_answers(run: Path, text: str, rounds: int) -> list[dict[str, float]]:
    """Seconds of each round, with a server and a browser that were just started: the first answer, not the fastest."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    found = []
    with sync_playwright() as playwright:
        for _ in range(rounds):
            with started(run) as server:
                browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
                found.append(_asked(browser.new_page(locale="en-US"), server.url, text))
                browser.close()
    return found


def _asked(page: Any, url: str, text: str) -> dict[str, float]:
    begun = time.perf_counter()
    page.goto(url)
    field = page.get_by_label("Text")
    field.wait_for()
    ready = time.perf_counter()
    field.fill(text)
    pressed = time.perf_counter()
    field.press("Enter")
    page.wait_for_selector(".piece")
    return {"form": ready - begun, "answer": time.perf_counter() - pressed}
