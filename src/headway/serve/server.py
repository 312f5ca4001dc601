"""The process: a socket, signals, and an end that finishes what was taken."""

import asyncio
import contextlib
import errno
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import uvicorn
from starlette.types import ASGIApp

from headway.errors import UsageError
from headway.serve import logs
from headway.serve.connection import connection
from headway.serve.house import House
from headway.serve.limits import Limits

BACKLOG = 2048
SPARE = 64
"""Files that are kept for other things than connections."""


class Server(uvicorn.Server):
    """uvicorn, which ends by SIGINT and SIGTERM in order, and takes new weights by SIGHUP.

    drain    seconds between the signal and the last new connection, in which a proxy learns that it ends
    """

    def __init__(self, config: uvicorn.Config, house: House, drain: float, told: Callable[[], None]):
        super().__init__(config)
        self.house, self.drain, self.told = house, drain, told
        self._renewing: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():  # others hear no signals
            yield
            return
        loop = asyncio.get_running_loop()
        handlers = {signal.SIGINT: self.leave, signal.SIGTERM: self.leave, signal.SIGHUP: self.renew}
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.told()

    def leave(self) -> None:
        """The first time in order, the second at once."""
        if self.house.draining:
            self.force_exit = self.should_exit = True
            return
        logs.tell("stopping", seconds=self.drain)
        self.house.draining = True
        asyncio.get_running_loop().call_later(self.drain, self._close)

    def _close(self) -> None:
        self.house.closing.set()
        self.should_exit = True

    def renew(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.get_running_loop().create_task(self.house.renew())


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections. Raises UsageError."""
    if not 0 <= port < 1 << 16:
        raise UsageError(f"--port {port}: a port is a number from 0 to 65535")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        said = (
            os.strerror(error.errno) if error.errno is not None and error.errno in errno.errorcode else error.strerror
        )
        raise UsageError(f"--host {host} --port {port}: {said}; another --port may be free, 0 takes any") from None


def fitting(limits: Limits) -> Limits:
    """Limits with no more connections than the system lets a process open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limits if soft < 0 else replace(limits, connections=max(1, min(limits.connections, soft - SPARE)))


def server(
    app: ASGIApp,
    house: House,
    told: Callable[[], None],
    drain: float = 0.0,
    proxies: Sequence[str] = (),
) -> Server:
    """A server for these sockets.

    told       called once connections are taken
    proxies    addresses whose X-Forwarded-For is believed
    """
    config = uvicorn.Config(
        app,
        http=connection(house),
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        backlog=BACKLOG,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=int(house.limits.seconds) + 5,
        h11_max_incomplete_event_size=16_384,
    )
    return Server(config, house, drain, told)


def run(server: Server, sockets: Sequence[socket.socket]) -> None:
    """Serve until a signal ends it; what was taken until then is answered."""
    server.house.start()
    try:
        server.run(list(sockets))
    finally:
        server.house.close()
        logs.tell("stopped")
