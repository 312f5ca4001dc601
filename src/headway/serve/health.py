"""`/healthz`, `/readyz`, `/metrics`."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from headway.serve import meters
from headway.serve.describing import PROBLEMS
from headway.serve.house import House
from headway.serve.limits import Refusal
from headway.serve.schemas import Health


def routes(house: House) -> APIRouter:
    """The routes for those who look after the server."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", response_model=Health, responses=PROBLEMS)
    async def healthz() -> Any:
        """Whether the process answers at all; where it does not, start it anew."""
        return {"status": "alive"}

    @router.get("/readyz", response_model=Health, responses=PROBLEMS)
    async def readyz() -> Any:
        """Whether a request would be answered: 503 while the server ends, so that a proxy asks another."""
        if not house.ready:
            raise Refusal("not_ready", headers={"Retry-After": "1"})
        return {"status": "ready"}

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **PROBLEMS},
    )
    async def metrics() -> Response:
        """Counts, times and sizes for Prometheus."""
        return Response(house.meters.text(), headers={"Content-Type": meters.TYPE})

    return router
