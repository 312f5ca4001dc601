"""`/v1/runs`: trainings, while they run and after."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from headway.serve import schemas
from headway.serve.describing import EVENT, PROBLEMS, problems
from headway.serve.house import House
from headway.serve.limits import Refusal
from headway.serve.streaming import event, events
from headway.serve.trainings import Trainings

EVERY = 0.5
"""Seconds between two looks at a file."""
BEAT = 15.0
"""Seconds after which a silent stream says that it is alive."""
Name = Annotated[str, Query(max_length=400, description="The name of a run, of `/v1/runs`.")]
After = Annotated[str, Query(max_length=60, description="What `after` was before; empty for all events.")]
Last = Annotated[str, Header(alias="Last-Event-ID", max_length=60)]
MISSING = problems({404: "There is no such run, or no trainings are watched."})


def routes(house: House) -> APIRouter:
    """The routes that watch trainings."""
    router = APIRouter(tags=["trainings"])
    open_streams = 0

    def trainings() -> Trainings:
        if house.trainings is None:
            raise Refusal("not_watched")
        return house.trainings

    @router.get("/v1/runs", response_model=schemas.Trainings, responses=PROBLEMS | MISSING)
    async def runs() -> Any:
        """The trainings below the watched folders, what was written last first."""
        return {"runs": await asyncio.to_thread(trainings().all)}

    @router.get("/v1/runs/events", response_model=schemas.Events, responses=PROBLEMS | MISSING)
    async def past(run: Name, after: After = "") -> Any:
        """What a training has written since: `start`, `step`, `valid` and `end` with their figures."""
        return {"run": run, **asdict(await asyncio.to_thread(trainings().news, run, after))}

    @router.get(
        "/v1/runs/live",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {"schema": EVENT}}}, **PROBLEMS, **MISSING},
    )
    async def live(run: Name, after: After = "", last: Last = "") -> Response:
        """The same as server-sent events, as they are written; `id` is the `after` of the next connection.

        An event `restarted` says that a resumed training has written its file anew: all events before it are void.
        """
        nonlocal open_streams
        await asyncio.to_thread(trainings().news, run, after or last)  # refused before the stream begins
        if open_streams >= house.limits.streams:
            raise Refusal("streams", headers={"Retry-After": "10"}, found=open_streams)

        async def told() -> AsyncIterator[bytes]:
            nonlocal open_streams
            open_streams += 1
            try:
                async for each in _live(house, trainings(), run, after or last):
                    yield each
            finally:
                open_streams -= 1

        return events(told())

    return router


async def _live(house: House, trainings: Trainings, run: str, after: str) -> AsyncIterator[bytes]:
    """Events as they are written, until the server ends or the run is gone."""
    silent = BEAT  # the first says at once that it is alive
    while not house.closing.is_set():
        try:
            news = await asyncio.to_thread(trainings.news, run, after)
        except Refusal:
            yield event("gone", {"run": run})
            return
        if news.restarted:
            yield event("restarted", {"run": run})
        after = news.after
        for number, each in enumerate(news.events):
            name = f"id: {after}\n".encode() if number == len(news.events) - 1 else b""
            yield name + event(str(each.get("event", "message")), each)
        silent = 0.0 if news.events else silent + EVERY
        if silent >= BEAT:
            silent = 0.0
            yield b": alive\n\n"
        if not news.more:
            try:
                await asyncio.wait_for(house.closing.wait(), EVERY)
            except TimeoutError:
                continue
