"""A server for tests: uvicorn on a free port of this machine, in a thread, and a client that speaks to it."""

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from headway.serve.app import make_app
from headway.serve.edge import Door
from headway.serve.house import House, Settings
from headway.serve.limits import REFUSALS, Limits
from headway.serve.schemas import Problem
from headway.serve.server import Server, listen, run, server

LIMITS = Limits(seconds=60.0, per_client=200)


class Serving(NamedTuple):
    house: House
    server: Server
    port: int
    http: httpx.Client

    def ask(self, inputs: Sequence[Any], **more: Any) -> httpx.Response:
        """`/v1/predict`, of the only model or of `model`."""
        return self.http.post("/v1/predict", json={"inputs": list(inputs), **more})

    def answers(self, inputs: Sequence[Any], **more: Any) -> list[dict[str, Any]]:
        found = self.ask(inputs, **more)
        assert found.status_code == 200, found.text
        return found.json()["answers"]

    def raw(self) -> socket.socket:
        """A connection of which nothing is sent yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)


@contextmanager
def serving(
    runs: Mapping[str, Path],
    watched: Sequence[Path] = (),
    window: float = 0.003,
    door: Door | None = None,
    **limits: Any,
) -> Iterator[Serving]:
    """A server with these runs until the block ends."""
    house = House(runs, watched, Settings(replace(LIMITS, **limits), 1, window))
    begun = threading.Event()
    door = door or Door(hosts=frozenset({"127.0.0.1", "localhost"}))
    made = server(make_app(house, door), house, begun.set)
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    thread = threading.Thread(target=run, args=(made, [sock]))
    thread.start()
    assert begun.wait(60)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            yield Serving(house, made, port, http)
    finally:
        made.house.closing.set()
        made.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


@contextmanager
def held(server: Serving, name: str = "speller") -> Iterator[threading.Lock]:
    """As if a batch of this model were being answered, until the block ends or the lock is released."""
    gate = threading.Lock()
    batcher = server.house.served[name].batcher
    before, batcher.turns = batcher.turns, gate
    gate.acquire()
    try:
        yield gate
    finally:
        if gate.locked():
            gate.release()
        batcher.turns = before


def post(body: bytes, length: int | None = None) -> bytes:
    """A request for answers, byte by byte."""
    head = "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


def sentence(response: httpx.Response, status: int) -> str:
    """The sentence of a refusal, which must have this status and be a problem of RFC 9457."""
    return told(response, status)["detail"]


def told(response: httpx.Response, status: int) -> dict[str, Any]:
    """The whole of it: the sentence is made of its members, and all of these are in OpenAPI."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    assert found["status"] == status and found["title"] and REFUSALS[found["code"]][0] == status
    assert set(found) <= set(Problem.model_fields) and Problem.model_validate(found)
    return found


def events(response: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """(name, data) of every event of a whole stream."""
    assert response.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in response.text.split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def until(holds: Any, seconds: float = 30.0) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)
