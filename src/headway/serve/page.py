"""The page at `/`: the files of one folder of the package, read at the start; no path of a client is opened."""

import hashlib
import html
import mimetypes
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from headway.serve.house import House

FOLDER = Path(__file__).parent / "page"
INDEX = "/index.html"


def routes(house: House, folder: Path = FOLDER) -> APIRouter:
    """A route for every file, and `/`."""
    router = APIRouter(include_in_schema=False)
    files = {
        f"/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    files["/"] = files.pop(INDEX, None) or _plain(house)
    for name, content in files.items():
        kind = "text/html" if name == "/" else mimetypes.guess_type(name)[0] or "application/octet-stream"
        router.add_api_route(name, _sender(content, kind), methods=["GET", "HEAD"])
    return router


def _sender(content: bytes, kind: str):
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}

    async def send(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)

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
