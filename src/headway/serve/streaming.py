"""Answers as server-sent events, token by token."""

import asyncio
import json
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

from starlette.responses import Response, StreamingResponse

from headway.data.codecs import Sequences
from headway.errors import HeadwayError
from headway.serve.house import House
from headway.serve.limits import Refusal, problem, refusal
from headway.serve.reading import Wanted, submitted

MOST = 16
"""Inputs of one stream."""
UNFINISHED = "\ufffd"
"""What stands for bytes that are no whole character yet."""


def event(name: str, data: Any) -> bytes:
    """One event as it goes over the wire."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def events(content: AsyncIterator[bytes]) -> Response:
    """A stream of events as a response; no proxy may hold them back."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(content, media_type="text/event-stream", headers=headers)


class Writing:
    """The text of one input while its tokens come: what each of them adds."""

    def __init__(self, codec: Sequences):
        self.codec = codec
        self.tokens: list[int] = []
        self.text = ""

    def add(self, token: int) -> dict[str, Any]:
        """`piece`, the token as a person reads it, and `text`, what it adds to the text so far.

        Nothing is added while bytes are no whole character yet, or where what was written changes with it; the whole
        text stands in the answer.
        """
        self.tokens.append(token)
        piece = self.codec.tokenizer.pieces([token])[0]
        whole, added = self.codec.tokenizer.decode(self.tokens), ""
        if whole.startswith(self.text) and not whole.endswith(UNFINISHED):
            added, self.text = whole[len(self.text) :], whole
        return {"position": len(self.tokens) - 1, "piece": piece, "text": added}


def streamed(house: House, found: Wanted, began: float) -> Response:
    """The answers of a request as events. Raises Refusal where it cannot begin."""
    if len(found.examples) > MOST:
        raise Refusal("stream_inputs", found=len(found.examples), allowed=MOST)
    if found.looks is not None:
        raise Refusal("stream_look")
    queue: asyncio.Queue[tuple[str, int, Any]] = asyncio.Queue()
    (job,) = submitted(found, lambda number, token: queue.put_nowait(("token", number, token)))
    job.whole = lambda number, answer: queue.put_nowait(("answer", number, answer))
    job.done.add_done_callback(lambda _: queue.put_nowait(("end", 0, None)))
    return events(_told(house, found, job, queue, began))


async def _told(house: House, found: Wanted, job: Any, queue: asyncio.Queue, began: float) -> AsyncIterator[bytes]:
    codec = found.served.predictor.codecs.target
    writing = [Writing(codec) for _ in found.examples] if isinstance(codec, Sequences) else []
    try:
        while True:
            left = began + house.limits.seconds - monotonic()
            kind, number, value = await asyncio.wait_for(queue.get(), max(left, 0.0))
            if kind == "token":
                yield event("token", {"input": number, **writing[number].add(value)})
            elif kind == "answer":
                yield event("answer", {"input": number, **value})
            else:
                job.done.result()
                yield event("done", {"model": found.served.name, "version": job.version})
                return
    except TimeoutError:
        yield event("error", problem(Refusal("late", seconds=house.limits.seconds)))
    except Refusal as refused:
        yield event("error", problem(refused))
    except HeadwayError as error:
        yield event("error", problem(refusal(error)))
    finally:
        job.cancel()
