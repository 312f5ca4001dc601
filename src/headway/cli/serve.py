"""`headway serve`."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from headway.errors import MissingPackage, UsageError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    *runs: str,
    host: str = "127.0.0.1",
    port: int = 8000,
    watch: Annotated[tuple[Path, ...], Parameter(negative="")] = (),
    keys: Path | None = None,
    open_: Annotated[bool, Parameter(name="--open", negative="")] = False,
    cors: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=False)] = (),
    allow_host: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=False)] = (),
    proxy: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=False)] = (),
    threads: int | None = None,
    window: float = 3.0,
    max_body: float = 16.0,
    max_inputs: int = 256,
    max_length: int = 20_000,
    timeout: float = 30.0,
    queue: int = 1024,
    per_client: int = 64,
    drain: float = 0.0,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Let others ask: answer with trained runs over HTTP, and show trainings while they run.

    It listens on this machine only, until --host says otherwise:

      headway serve speaker
      curl 127.0.0.1:8000/v1/predict --json '{"inputs": ["headway"]}'
      curl 127.0.0.1:8000/v1/predict --json '{"inputs": ["headway"], "stream": true}'
      headway serve tagger critic --watch runs
      headway serve hears=runs/sound --host 0.0.0.0 --keys keys.txt
      curl HOST:8000/v1/predict -H "X-API-Key: …" -H "Content-Type: audio/wav" --data-binary @a.wav

    /v1/models says what each can do, /openapi.json all of it with examples. Ctrl-C or SIGTERM ends it when what it has
    taken is answered; SIGHUP takes the weights that the run folders hold now, and loses no request.

    Parameters
    ----------
    runs
        Run folders, called by their names; NAME=RUN calls one otherwise.
    host
        The address to listen on; 0.0.0.0 is every one of this machine, and needs --keys or --open.
    port
        The port; 0 takes any that is free.
    watch
        A folder; the trainings below it are shown at /v1/runs, running or done.
    keys
        A file of name:key, a line each; who asks must have one. HEADWAY_KEYS in the environment does the same.
    open_
        Listen on other addresses than this machine's own without keys: whoever reaches it may ask.
    cors
        An origin whose pages may read answers, as https://example.org; may be given several times.
    allow_host
        A name by which the server may be called beside its own; may be given several times.
    proxy
        The address of a proxy whose X-Forwarded-For is believed; may be given several times.
    threads
        Cores that one batch takes; all where none are given. With fewer, batches of several models run side by side.
    window
        Milliseconds that a request may wait for others, where waiting was measured to pay; 0: a request a batch.
    max_body
        MiB that a request may have.
    max_inputs
        Inputs that a request may have.
    max_length
        Characters, vectors or nodes that an input may have.
    timeout
        Seconds after which a request is given up.
    queue
        Inputs that may wait for each model; what comes on top is refused at once.
    per_client
        Requests that one client (one key, or one address) may have under way; 0 for any number.
    drain
        Seconds between the signal to stop and the last connection taken, in which /readyz says 503.
    quiet
        Log only what goes wrong.
    """
    with _uncollected():
        try:
            import fastapi
            import prometheus_client
            import uvicorn

            del fastapi, prometheus_client, uvicorn
        except ModuleNotFoundError as error:
            raise MissingPackage(error.name or "fastapi", "serve", "headway serve") from None
        from headway.serve import logs, server
        from headway.serve.app import make_app
        from headway.serve.edge import Door
        from headway.serve.house import House, Settings, names_of
        from headway.serve.keys import Keys
        from headway.serve.limits import MIB, Limits

    if not runs and not watch:
        raise UsageError("nothing to serve: name run folders, or --watch a folder of trainings")
    known = Keys.of(keys, os.environ)
    inside = _is_loopback(host)
    if not inside and known is None and not open_:
        raise UsageError(
            f"--host {host} lets other machines ask: give --keys FILE, so that only some may, or --open for everybody"
        )
    numbers = {
        "max-body": max_body, "max-inputs": max_inputs, "max-length": max_length, "timeout": timeout,
        "threads": 1 if threads is None else threads,
    }  # fmt: skip
    for name, number in numbers.items():
        if not number > 0:
            raise UsageError(f"--{name} must be above 0, and is {number}")
    for name, number in {"window": window, "per-client": per_client, "drain": drain}.items():
        if number < 0:
            raise UsageError(f"--{name} must not be below 0, and is {number}")
    if queue < max_inputs:
        raise UsageError(f"--queue {queue} is less than the {max_inputs} inputs that one request may have")
    limits = server.fitting(
        Limits(
            int(max_body * MIB), max_inputs, max_length, timeout, queue, per_client, int(max(256, 4 * max_body) * MIB)
        )
    )
    names = {*LOOPBACK, "[::1]", host, *allow_host} if inside or allow_host else set[str]()
    with _uncollected():
        house = House(names_of(runs), watch, Settings(limits, threads, window / 1000))
        app = make_app(house, Door(known, frozenset(name.lower() for name in names), cors))
    socket = server.listen(host, port)
    at = socket.getsockname()
    address = f"http://{f'[{at[0]}]' if ':' in at[0] else at[0]}:{at[1]}"
    logs.start(quiet)
    what = ", ".join(house.served) or "trainings"
    told = lambda: print(f"headway serves {what} at {address}   (Ctrl-C ends it)", file=sys.stderr, flush=True)  # noqa: E731
    server.run(server.server(app, house, told, drain, proxy), [socket])
    return 0


@contextmanager
def _uncollected() -> Iterator[None]:
    """While what stays is imported and loaded: to look for garbage among it takes a sixth of the start."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host in LOOPBACK or ip_address(host).is_loopback
    except ValueError:
        return False
