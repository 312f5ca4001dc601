"""The server as a process: signals, a kill, a rolling change of the model, memory over many requests."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from served import until

HEADWAY = [sys.executable, "-W", "error::SyntaxWarning", "-m", "headway", "serve"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
MEMORY = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")


class Process(NamedTuple):
    process: subprocess.Popen
    url: str
    lines: list[str]

    def memory(self) -> int:
        """Bytes that it holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@contextmanager
def started(*arguments: object) -> Iterator[Process]:
    """`headway serve` on a free port, until the block ends."""
    command = [*HEADWAY, *map(str, arguments), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stderr is not None
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(iter(process.stderr.readline, "")), daemon=True)
        first = process.stderr.readline()
        found = re.search(r"http://\S+", first)
        assert found, first + process.stderr.read()
        reader.start()
        try:
            yield Process(process, found[0], lines)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            reader.join(10)


def ask(client: httpx.Client, url: str) -> httpx.Response:
    return client.post(f"{url}/v1/predict", json={"inputs": ["abc", "gh"]})


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_when_what_it_took_is_answered(number, runs):
    with started(runs("transduce")) as server, httpx.Client(timeout=60, trust_env=False) as client:
        statuses: list[int] = []

        def load() -> None:
            with httpx.Client(timeout=60, trust_env=False) as mine:
                while True:
                    try:
                        statuses.append(ask(mine, server.url).status_code)
                    except httpx.TransportError:
                        return

        assert ask(client, server.url).status_code == 200
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: len(statuses) > 20)
        server.process.send_signal(number)
        assert server.process.wait(60) == 0
        for thread in threads:
            thread.join(60)
        assert set(statuses) == {200}
    told = [json.loads(line) for line in server.lines]
    assert [line["event"] for line in told if line["event"] != "request"] == ["stopping", "stopped"]
    assert not any("error" in line for line in told)


@pytest.mark.long
def test_killed_and_started_anew_it_answers_on_the_same_port(runs):
    with started(runs("transduce")) as first, httpx.Client(timeout=60, trust_env=False) as client:
        before = ask(client, first.url).json()
        first.process.kill()
        first.process.wait()
        command = [*HEADWAY, str(runs("transduce")), "--port", first.url.rpartition(":")[2], "--quiet"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=ENVIRONMENT) as second:
            try:
                until(lambda: _ready(first.url), 60)
                with httpx.Client(timeout=60, trust_env=False) as other:
                    assert ask(other, first.url).json() == before
            finally:
                second.kill()


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.long
def test_a_change_of_the_model_under_load_loses_no_request(runs, tmp_path):
    """The run folder gets other weights, the server is told, and clients never see more than another version."""
    run = runs.copy("transduce", tmp_path / "speller")
    other = runs("transduce", 1)
    with started(run) as server:
        statuses: list[int] = []
        versions: list[str] = []
        stop = threading.Event()

        def load() -> None:
            with httpx.Client(timeout=60, trust_env=False) as mine:
                while not stop.is_set():
                    found = ask(mine, server.url)
                    statuses.append(found.status_code)
                    versions.append(found.json()["version"])

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: len(statuses) > 10)
        for file in sorted(other.iterdir(), key=lambda file: file.name == "manifest.json"):  # the manifest last
            if file.is_file():
                shutil.copyfile(file, run / file.name)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: len(set(versions)) == 2, 60)
        (run / "manifest.json").write_text("{}")  # what cannot be read leaves what is there
        server.process.send_signal(signal.SIGHUP)
        until(lambda: any('"not renewed"' in line for line in server.lines), 60)
        seen = len(statuses)
        until(lambda: len(statuses) > seen + 10)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert set(statuses) == {200} and len(set(versions)) == 2


@pytest.mark.long
@MEMORY
def test_memory_does_not_grow_with_the_number_of_requests(runs):
    """A minute of everything that clients do; `python -m benchmarks.serving soak` does it for half an hour."""
    from benchmarks.serving.soak import soaked

    with started(runs("transduce"), "--quiet", "--per-client", "0") as server:
        found = soaked(server.url, server.memory, seconds=float(os.environ.get("HEADWAY_SOAK", "60")))
    assert found["mistakes"] == 0 and found["requests"] > 100
    assert found["grown"] < 0.03, found


def test_complaints_of_the_command(runs, tmp_path):
    from headway.cli import run

    assert run(["serve"]) == 2
    assert run(["serve", str(tmp_path / "none")]) == 1
    assert run(["serve", str(runs("tag")), "--host", "0.0.0.0"]) == 2
    assert run(["serve", str(runs("tag")), "--queue", "10"]) == 2
    assert run(["serve", str(runs("tag")), "--timeout", "0"]) == 2
    assert run(["serve", str(runs("tag")), "--port", "70000"]) == 2
    assert run(["serve", str(runs("tag")), "--keys", str(tmp_path / "none")]) == 2
    assert run(["serve", "--watch", str(tmp_path / "none")]) == 2


def test_a_port_that_is_taken_is_said(runs, capsys):
    import socket

    from headway.cli import run

    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run(["serve", str(runs("tag")), "--port", str(taken.getsockname()[1])]) == 2
    told = capsys.readouterr().err
    assert "Address already in use; another --port may be free" in told
