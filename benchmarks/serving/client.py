"""Clients of a server, in a process of their own: `python -m benchmarks.serving.client` reads what to do as JSON.

They speak HTTP by bare sockets, so that they take little of the machine that the server needs.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any
from urllib.parse import urlsplit


def request(host: str, inputs: list[str]) -> bytes:
    """A request for answers, byte by byte."""
    body = json.dumps({"inputs": inputs}).encode()
    head = f"POST /v1/predict HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def answered(reader: asyncio.StreamReader) -> int:
    """The status of an answer that was read whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head[9:12])


async def closed(asked: dict[str, Any], host: str, port: int) -> dict[str, Any]:
    """So many clients, each of which asks as soon as it has been answered, until so many seconds are over."""
    seconds: list[float] = []
    statuses: dict[int, int] = {}
    requests = [request(host, inputs) for inputs in asked["requests"]]
    begun = time.perf_counter()
    end = begun + asked["seconds"]

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while (now := time.perf_counter()) < end:
            writer.write(requests[number % len(requests)])
            number += asked["clients"]
            status = await answered(reader)
            statuses[status] = statuses.get(status, 0) + 1
            seconds.append(time.perf_counter() - now)
        writer.close()

    await asyncio.gather(*map(client, range(asked["clients"])))
    return {"seconds": seconds, "statuses": statuses, "wall": time.perf_counter() - begun}


async def steady(asked: dict[str, Any], host: str, port: int) -> dict[str, Any]:
    """Requests at random moments (Poisson), so many a second, whether or not those before were answered."""
    chance = random.Random(0)
    seconds: list[float] = []
    statuses: dict[int, int] = {}
    requests = [request(host, inputs) for inputs in asked["requests"]]
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    begun = due = time.perf_counter()

    async def one(number: int, since: float) -> None:
        reader, writer = free.pop() if free else await asyncio.open_connection(host, port)
        writer.write(requests[number % len(requests)])
        status = await answered(reader)
        statuses[status] = statuses.get(status, 0) + 1
        seconds.append(time.perf_counter() - since)
        free.append((reader, writer))

    tasks, number = [], 0
    while due < begun + asked["seconds"]:
        due += chance.expovariate(asked["rate"])
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number, due)))
        number += 1
    await asyncio.gather(*tasks)
    return {"seconds": seconds, "statuses": statuses, "wall": time.perf_counter() - begun}


def main() -> None:
    """Do what standard input says, and print what came of it."""
    asked = json.load(sys.stdin)
    parts = urlsplit(asked["url"])
    work = steady if "rate" in asked else closed
    print(json.dumps(asyncio.run(work(asked, str(parts.hostname), int(parts.port or 80)))))


if __name__ == "__main__":
    main()
