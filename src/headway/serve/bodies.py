"""Bodies of requests: counted while they come, held no longer than needed, and never more of all than fits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from headway.serve.edge import too_large
from headway.serve.house import House
from headway.serve.limits import Refusal


class InHand:
    """The bytes of all requests that are held at this moment."""

    def __init__(self, house: House):
        self.house, self.held = house, 0
        house.meters.in_hand.set_function(lambda: float(self.held))

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """The whole body, which counts until the request is answered. Raises Refusal and ClientDisconnect."""
        taken = 0
        chunks: list[bytes] = []
        try:
            try:
                async with asyncio.timeout(self.house.limits.seconds):
                    async for chunk in request.stream():
                        self._take(len(chunk), taken)
                        taken += len(chunk)
                        chunks.append(chunk)
            except TimeoutError:
                raise Refusal("slow_body", seconds=self.house.limits.seconds) from None
            whole = b"".join(chunks)
            chunks.clear()
            yield whole
        finally:
            self.held -= taken

    def _take(self, size: int, before: int) -> None:
        limits = self.house.limits
        if before + size > limits.body:
            raise too_large(self.house)
        if self.held + size > limits.in_hand:
            raise Refusal("bodies", headers={"Retry-After": "1"})
        self.held += size
