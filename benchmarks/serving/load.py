"""Many clients at once: what batching brings, how long they wait, and what the server costs beside the Predictor.

Servers with the window on and off take turns. The rate is told in requests a second by the clock, and in requests a
second of the server's own time on a processor, which does not change with what else the machine does.
"""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.serving.process import Server, started
from benchmarks.serving.wrk import asked_by_wrk

CLIENTS = (1, 2, 4, 8, 16, 32)
TOGETHER = 32
"""Inputs of a request where the server is measured against the Predictor."""


def ask(server: Server, requests: Sequence[Sequence[str]], seconds: float, **how: Any) -> dict[str, Any]:
    """What clients in a process of their own found: wrk where it is installed and they ask as fast as they can."""
    if "clients" in how and shutil.which("wrk"):
        before = server.processor()
        found = asked_by_wrk(server.url, requests, seconds, how["clients"])
        return {
            "requests": found["number"],
            "a_second": found["number"] / found["wall"],
            "a_processor_second": found["number"] / max(server.processor() - before, 0.01),
            "median": found["median"],
            "p95": found["p95"],
        }
    told = {"url": server.url, "requests": list(map(list, requests)), "seconds": seconds, **how}
    before = server.processor()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.serving.client"],
        input=json.dumps(told), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    if set(found["statuses"]) != {"200"}:
        raise SystemExit(f"not every request was answered: {found['statuses']}")
    number, waits = len(found["seconds"]), sorted(found["seconds"])
    return {
        "requests": number,
        "a_second": number / found["wall"],
        "a_processor_second": number / max(server.processor() - before, 0.01),
        "median": statistics.median(waits),
        "p95": waits[int(0.95 * (number - 1))],
    }


def loads(run: Path, texts: Sequence[str], rounds: int, seconds: float, say: Callable[[str], None]) -> list[dict]:
    """Rates and waits with the window on and off, by the number of clients."""
    found: list[dict[str, Any]] = []
    single = [[text] for text in texts]
    with started(run) as on, started(run, "--window", "0") as off:
        for server in (on, off):
            ask(server, single, 1.0, clients=8)
        for clients in CLIENTS:
            turns: dict[str, list[dict]] = {"on": [], "off": []}
            for _ in range(rounds):
                turns["on"].append(ask(on, single, seconds, clients=clients))
                turns["off"].append(ask(off, single, seconds, clients=clients))
            row: dict[str, Any] = {"clients": clients}
            for name, each in turns.items():
                row[name] = {key: statistics.median(one[key] for one in each) for key in each[0]}
            pairs = list(zip(turns["on"], turns["off"], strict=True))
            for key in ("a_second", "a_processor_second"):
                row[f"gain_{key}"] = statistics.median(a[key] / b[key] for a, b in pairs)
            say(
                f"{clients:3d} clients: {row['on']['a_second']:7.1f} requests/s with, {row['off']['a_second']:7.1f} "
                f"without; x {row['gain_a_second']:.2f} by the clock, x {row['gain_a_processor_second']:.2f} by the "
                f"processor's time; p95 {1000 * row['on']['p95']:.1f} and {1000 * row['off']['p95']:.1f} ms"
            )
            found.append(row)
        found.append(_half(on, single, found, seconds, say))
    return found


def _half(server: Server, single: Sequence[Sequence[str]], rows: list[dict], seconds: float, say: Callable) -> dict:
    """How long clients wait at half of the largest rate."""
    alone, largest = rows[0]["on"]["median"], max(row["on"]["a_second"] for row in rows)
    found = ask(server, single, max(4.0, 2 * seconds), rate=largest / 2)
    times = found["p95"] / alone
    say(f"at half of {largest:.1f} requests/s: p95 {1000 * found['p95']:.1f} ms, {times:.2f} x that of one client")
    return {"half_of": largest, **found, "unloaded": alone, "p95_times_unloaded": times}


def cost(run: Path, texts: Sequence[str], rounds: int, seconds: float, say: Callable[[str], None]) -> dict[str, float]:
    """What the server takes of the processor beside the Predictor alone, at requests of several inputs."""
    from headway.predictor import Predictor
    from headway.training.settings import MachineSettings

    predictor = Predictor(run, machine=MachineSettings(threads=1))
    requests = [list(texts[at : at + TOGETHER]) for at in range(0, len(texts) - TOGETHER + 1, TOGETHER)]
    rates: dict[str, list[float]] = {"predictor": [], "server": []}
    with started(run) as server:
        ask(server, requests, 1.0, clients=1)
        for _ in range(rounds):
            begun, number, clock = time.process_time(), 0, time.perf_counter()
            while time.perf_counter() - clock < seconds:
                predictor.predict(requests[number % len(requests)])
                number += 1
            rates["predictor"].append(TOGETHER * number / (time.process_time() - begun))
            told = ask(server, requests, seconds, clients=1)
            rates["server"].append(TOGETHER * told["a_processor_second"])
    share = statistics.median(b / a for a, b in zip(rates["predictor"], rates["server"], strict=True))
    found = {name: statistics.median(each) for name, each in rates.items()}
    say(
        f"{TOGETHER} inputs a request: {found['predictor']:.0f} inputs a second of the processor by the Predictor, "
        f"{found['server']:.0f} by the server: it costs {1 - share:.1%}"
    )
    return {
        "inputs": TOGETHER,
        **{f"{name}_a_processor_second": rate for name, rate in found.items()},
        "cost": 1 - share,
    }
