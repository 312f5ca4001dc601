"""`/v1/models` and `/v1/predict`."""

import asyncio
import json
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import Any

from fastapi import APIRouter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from headway.errors import DataError, MissingPackage, UsageError
from headway.serve.bodies import InHand
from headway.serve.describing import EXAMPLES, PROBLEMS, model_of, request_body
from headway.serve.house import House
from headway.serve.limits import Refusal, refusal
from headway.serve.reading import Wanted, media, submitted, wanted
from headway.serve.schemas import Answered, Models
from headway.serve.streaming import streamed

SMALL = 1 << 16
"""Bytes of a body that is read in the event loop; a larger one is read beside it."""


class Gone(Exception):
    """The client has left."""


def routes(house: House) -> APIRouter:
    """The routes that ask models."""
    router, in_hand = APIRouter(), InHand(house)
    readers = ThreadPoolExecutor(1, "headway-reader")

    @router.get("/v1/models", response_model=Models, tags=["models"], responses=PROBLEMS)
    async def models() -> Any:
        """Which models are served, what they can do, and what one request may ask."""
        return {"models": [model_of(served) for served in house.served.values()], "limits": _limits(house)}

    @router.post(
        "/v1/predict",
        tags=["models"],
        responses={200: {"model": Answered, "content": EXAMPLES}, **PROBLEMS},
        openapi_extra=request_body(),
    )
    async def predict(request: Request) -> Response:
        """Answer inputs: texts, words, vectors, graphs as JSON; a sound as the body itself, with options in the query.

        With `stream` it answers by server-sent events, token by token.
        """
        kind = media(request.headers.get("content-type"))
        began = monotonic()
        try:
            async with in_hand.body(request) as body:
                query = request.query_params.multi_items()
                small = kind == "application/json" and len(body) <= SMALL
                read = wanted(house, body, kind, query) if small else await _beside(readers, house, body, kind, query)
                del body
                return await _answer(house, request, read, began)
        except (ClientDisconnect, Gone):
            house.meters.gone.inc()
            return Response(status_code=499)

    return router


async def _beside(
    readers: ThreadPoolExecutor, house: House, body: bytes, kind: str, query: Sequence[tuple[str, str]]
) -> Wanted:
    return await asyncio.get_running_loop().run_in_executor(readers, wanted, house, body, kind, query)


async def _answer(house: House, request: Request, found: Wanted, began: float) -> Response:
    told = request.state.told
    told |= {"model": found.served.name, "inputs": len(found.examples)}
    if found.options.stream:
        return streamed(house, found, began)
    asked = submitted(found)
    try:
        answers = await _in_time(house, request, asyncio.gather(*(job.done for job in asked)))
    finally:
        for job in asked:
            job.cancel()
    content = answered(found, asked[0].version, answers)
    timing = {"Server-Timing": f"answer;dur={1000 * (monotonic() - began):.2f}"}
    return Response(json.dumps(content, ensure_ascii=False).encode(), media_type="application/json", headers=timing)


def answered(found: Wanted, version: str, answers: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """What a client is answered."""
    plain = list(answers[0])
    if found.looks is not None:
        plain = [{**answer, **look} for answer, look in zip(plain, answers[1], strict=True)]
    return {"model": found.served.name, "version": version, "answers": plain}


async def _in_time(house: House, request: Request, work: Awaitable[Any]) -> Any:
    """What the work gives, while the client waits and before the time is over. Raises Refusal and Gone."""
    running = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_gone(request))
    try:
        done, _ = await asyncio.wait({running, gone}, timeout=house.limits.seconds, return_when=asyncio.FIRST_COMPLETED)
        if running in done:
            return running.result()
        raise Gone if gone in done else late(house)
    except (UsageError, DataError, MissingPackage) as error:
        raise refusal(error) from None
    finally:
        gone.cancel()
        running.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await running


def late(house: House) -> Refusal:
    """The refusal of what takes too long."""
    return Refusal("late", seconds=house.limits.seconds)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _limits(house: House) -> dict[str, int | float]:
    limits = house.limits
    names = ("body", "inputs", "characters", "seconds", "queue", "per_client", "weights")
    return {name: getattr(limits, name) for name in names}
