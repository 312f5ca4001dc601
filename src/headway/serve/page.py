"""The page at `/`: these files of the package, read at the start; no path of a client is opened.

They are built from `web/` by `make page` and kept beside this file, so that nobody needs Node to have them.
"""

import hashlib
import html
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from headway.serve.house import House

FOLDER = Path(__file__).parent / "page"
FILES = {
    "index.html": "text/html; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""What is sent, each as what; any other name is not there."""


def routes(house: House, folder: Path = FOLDER) -> APIRouter:
    """A route for each of the files; `/` is index.html, or where no page was built what there is to ask."""
    router = APIRouter(include_in_schema=False)
    for name, kind in FILES.items():
        path = folder / name
        content = path.read_bytes() if path.is_file() else None
        if name == "index.html":
            router.add_api_route("/", _sender(content or _plain(house), kind), methods=["GET", "HEAD"])
        elif content is not None:
            router.add_api_route(f"/{name}", _sender(content, kind), methods=["GET", "HEAD"])
    return router


def _sender(content: bytes, kind: str):
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}

    async def send(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers={**headers, "Content-Type": kind})

    return send


def _plain(house: House) -> bytes:
    """What there is to ask, where no page was built."""
    names = ", ".join(html.escape(name) for name in house.served) or "none"
    ways = {
        "POST /v1/predict": 'answers, as in {"inputs": ["headway"]}',
        "GET /v1/models": "which models there are, and what they can do",
        "GET /v1/runs": "trainings, where some are watched",
        "GET /openapi.json": "all of it for machines, with examples",
        "GET /metrics": "counts and times for Prometheus",
        "GET /healthz": "whether it is alive",
        "GET /readyz": "whether it takes requests",
    }
    rows = "".join(f"<dt><code>{way}</code></dt><dd>{html.escape(told)}</dd>" for way, told in ways.items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>headway</title><h1>headway</h1>'
        f"<p>Models: {names}</p><dl>{rows}</dl></html>"
    ).encode()
