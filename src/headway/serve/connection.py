"""One connection, with a time for everything that its client must do: begin, send its headers, and take its answer.

uvicorn waits for the first request of a connection without end, and for a client that does not read.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from headway.serve.house import House

HEADERS = 10.0
"""Seconds until the headers of a request must be there."""
STALLED = 20.0
"""Seconds that a client may take nothing of an answer that waits for it."""
LINGER = 2.0
"""Seconds that a closed connection has to take the rest."""


def connection(house: House) -> type[H11Protocol]:
    """The class of the connections of one server."""

    class Connection(_Connection):
        pass

    Connection.most, Connection.idle, Connection.open = house.limits.connections, {}, set()
    house.meters.connections.set_function(lambda: float(len(Connection.open)))
    return Connection


class _Connection(H11Protocol):
    """
    most    connections that may be open
    idle    those without a request, the longest idle first
    open    all of them
    """

    most: int
    idle: dict[Any, None]
    open: set[Any]

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    @property
    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.open.add(self)
        if len(self.open) > self.most and self.idle:
            next(iter(self.idle)).drop()
        self._wait()
        if len(self.open) > self.most:  # all of them are at work
            self.drop()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._busy:
            self._work()
        elif not self.transport.is_closing():
            self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._busy:
            self.idle[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._work()
        self.resume_writing()
        self.open.discard(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(STALLED, self.drop)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(LINGER, self.drop)

    def send_400_response(self, msg: str) -> None:
        super().send_400_response(msg)
        self.loop.call_later(LINGER, self.drop)

    def drop(self) -> None:
        """End it now, whatever is still to be sent."""
        self.idle.pop(self, None)
        self.open.discard(self)
        self.transport.abort()

    def _wait(self) -> None:
        """A request must come, whole, before the time is over."""
        self.idle.setdefault(self, None)
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADERS, self.drop)

    def _work(self) -> None:
        """Its request is there."""
        self.idle.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
