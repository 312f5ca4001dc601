"""The application: the routes put together, and every error as a plain sentence."""

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from headway.errors import printable
from headway.serve import cards, health, page, predicting, runs
from headway.serve.edge import Door, Edge, failed, refused
from headway.serve.house import House
from headway.serve.limits import Refusal
from headway.serve.schemas import Problem
from headway.version import __version__

TOLD = """Answers of trained runs, and trainings while they run.

Every refusal is a sentence, `detail` of an `application/problem+json`, and a `code` that does not change."""


def make_app(house: House, door: Door | None = None) -> ASGIApp:
    """The server's application; any ASGI server runs it, once `house.start()` was called."""
    door = door or Door()
    app = FastAPI(
        title="headway", version=__version__, description=TOLD, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(Exception, _failed)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(RequestValidationError, _invalid)
    for routes in (predicting, cards, runs, health, page):
        app.include_router(routes.routes(house))
    _describe(app)
    edge: ASGIApp = Edge(app, house, door)
    if door.cors:
        edge = CORSMiddleware(
            edge, allow_origins=list(door.cors), allow_methods=["GET", "POST"], allow_headers=["*"], max_age=600
        )
    return edge


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return refused(error)


async def _failed(request: Request, error: Exception) -> Response:
    return failed()


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return refused(Refusal("unknown_address", printable(request.url.path)))
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "GET")
        said = f"{printable(request.method, 20)} is not for this address; use {allowed}"
        return refused(Refusal("method", said, error.headers))
    other = Refusal("http", printable(error.detail, 300), error.headers)
    other.status = error.status_code
    return refused(other)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    told = [f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()[:3]]
    return refused(Refusal("schema", printable("; ".join(told), 300)))


def _describe(app: FastAPI) -> None:
    """Let OpenAPI know the schema that refusals name."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        told = made()
        told.setdefault("components", {}).setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        return told

    app.openapi = openapi
