"""Everything that clients do, for a long time: does the server's memory grow?"""

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

CLIENTS = 4
LETTERS = "abcdefgh"
"""Letters of the texts; what a model does not know is a part of it."""


def soaked(url: str, memory: Callable[[], int], seconds: float, say: Callable[[str], None] | None = None) -> dict:
    """Requests, mistakes, by which share memory grew from the third of the time to its end, and what was held."""
    end = time.monotonic() + seconds
    counts = {"requests": 0, "mistakes": 0}
    threads = [threading.Thread(target=_client, args=(url, end, number, counts)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    held: list[tuple[float, int]] = []
    begun = time.monotonic()
    while any(thread.is_alive() for thread in threads):
        time.sleep(min(1.0, seconds / 60))
        held.append((time.monotonic() - begun, memory()))
        if say is not None and len(held) % 60 == 0:
            say(f"{held[-1][0]:6.0f} s  {held[-1][1] / 1e6:7.1f} MB  {counts['requests']:,} requests")
    third = [size for at, size in held if seconds / 3 <= at < seconds / 2]
    last = [size for at, size in held if at >= 5 * seconds / 6]
    early, late = sorted(third)[len(third) // 2], sorted(last)[len(last) // 2]
    minutes = [size for _, size in held[59::60]]
    return {**counts, "seconds": seconds, "early": early, "late": late, "grown": late / early - 1, "minutes": minutes}


def _client(url: str, end: float, number: int, counts: dict[str, int]) -> None:
    chance = random.Random(number)
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        while time.monotonic() < end:
            try:
                status = _once(http, chance)
            except httpx.HTTPError:
                status = 599
            counts["requests"] += 1
            counts["mistakes"] += status >= 500


def _once(http: httpx.Client, chance: random.Random) -> int:
    """One thing that a client does, and the status of what it was answered."""
    texts = ["".join(chance.choices(LETTERS, k=chance.randint(1, 30))) for _ in range(chance.choice([1, 1, 2, 16]))]
    asked: dict[str, Any] = {"inputs": texts}
    what = chance.randrange(10)
    if what == 0:
        return http.post("/v1/predict", content=b"{" * chance.randint(1, 1000)).status_code
    if what == 1:
        return http.post("/v1/predict", json={**asked, "inputs": texts[:2], "attention": True}).status_code
    if what == 2:
        return http.post("/v1/predict", json={**asked, "nbest": 3}).status_code
    if what == 3:
        return _left(http, {**asked, "inputs": texts[:4], "stream": True})
    if what == 4:
        return http.get(chance.choice(["/metrics", "/v1/models", "/nothing", "/openapi.json"])).status_code
    return http.post("/v1/predict", json=asked).status_code


def _left(http: httpx.Client, asked: dict[str, Any]) -> int:
    """A stream of which only the begin is read."""
    with http.stream("POST", "/v1/predict", json=asked) as stream:
        next(stream.iter_raw(), b"")
        return stream.status_code
