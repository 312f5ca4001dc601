"""What attackers and broken clients do: refused with a sentence or cut off, memory bounded, others served meanwhile."""

import io
import json
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import soundfile
from served import post, sentence, serving, until

import sounds
from headway.serve import connection
from little import quick, tiny

GOOD = post(b'{"inputs": ["abc"]}')


def resident() -> int:
    """Bytes of memory that this process holds now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def closed(client: socket.socket) -> bool:
    """Whether the server has ended this connection."""
    client.settimeout(10)
    try:
        while client.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.long
def test_who_does_not_send_or_does_not_take_is_cut_off(runs, monkeypatch):
    """Slow headers (slow loris), a slow body, a client that takes nothing: all end, and others are served meanwhile."""
    monkeypatch.setattr(connection, "HEADERS", 0.3)
    monkeypatch.setattr(connection, "STALLED", 0.3)
    with serving({"speller": runs("transduce")}, seconds=0.5) as server, ExitStack() as stack:
        silent, slow, body, half = (stack.enter_context(server.raw()) for _ in range(4))
        slow.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nX-")
        body.sendall(post(b'{"inp', 1000))
        half.sendall(b"GET /healthz HTT")
        half.shutdown(socket.SHUT_WR)
        until(lambda: server.ask(["abc"]).status_code == 200)
        assert closed(half) and closed(silent) and closed(slow)
        body.settimeout(10)
        assert b"408 Request Timeout" in body.recv(4096) and closed(body)
        greedy = stack.enter_context(socket.socket())
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.settimeout(0.5)
        greedy.connect(("127.0.0.1", server.port))
        asked = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 400
        with pytest.raises((TimeoutError, ConnectionError)):  # it stops reading where nobody takes its answers
            while True:
                greedy.sendall(asked)
        until(lambda: server.house.meters.connections.collect()[0].samples[0].value <= 2)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/banana\r\nHost: localhost\r\n\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /",
        b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"A: " + b"b" * 100_000 + b"\r\n\r\n",
    ],
    ids=["tls", "version", "zeros", "negative", "smuggled", "chunk", "header"],
)
def test_what_is_no_http_is_refused(sent, server):
    with server.raw() as client:
        client.sendall(sent)
        client.settimeout(20)
        told = client.recv(4096)
        assert told.startswith((b"HTTP/1.1 400", b"HTTP/1.1 405", b"HTTP/1.1 415")), told
    assert server.answers(["abc"])


@pytest.fixture(scope="module")
def server(runs):
    with serving({"speller": runs("transduce")}) as made:
        yield made


def test_idle_connections_make_room_for_new_ones(runs):
    with serving({"speller": runs("transduce")}, connections=20) as server, ExitStack() as stack:
        idle = [stack.enter_context(server.raw()) for _ in range(60)]
        until(lambda: server.answers(["abc"]))
        idle[-1].sendall(GOOD.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nConnection: close\r\n"))
        assert closed(idle[0])
        idle[-1].settimeout(20)
        assert b"200 OK" in idle[-1].recv(4096)


@pytest.mark.long
def test_a_thousand_connections_at_once(runs):
    """All ask at the same moment: each is answered or refused, and somebody else's health check comes through."""
    with serving({"speller": runs("transduce")}, per_client=2000) as server, ExitStack() as stack:
        clients = [stack.enter_context(server.raw()) for _ in range(900)]
        before = resident()
        for client in clients:
            client.sendall(GOOD)
        assert server.http.get("/healthz").status_code == 200
        statuses = [client.recv(65536)[9:12] for client in clients]
        assert set(statuses) <= {b"200", b"503"} and statuses.count(b"200") > 100
        assert resident() - before < 200_000_000


@pytest.mark.long
def test_a_hundred_megabytes_are_not_held(runs):
    """An upload that tells its length is refused before it is read; one that does not, once it is too long."""
    with serving({"speller": runs("transduce")}) as server, ExitStack() as stack:
        before = resident()
        told = post(b"", 100_000_000)
        chunked = told.replace(b"Content-Length: 100000000", b"Transfer-Encoding: chunked")
        clients = [stack.enter_context(server.raw()) for _ in range(8)]
        seen: list[bytes] = []

        def upload(client: socket.socket, head: bytes) -> None:
            client.settimeout(60)
            try:
                client.sendall(head)
                for _ in range(100):
                    client.sendall((b"f4240\r\n" if head is chunked else b"") + b"a" * 1_000_000 + b"\r\n")
            except OSError:
                pass  # it hangs up while we send
            try:
                seen.append(client.recv(200))
            except OSError:
                seen.append(b"")

        threads = [
            threading.Thread(target=upload, args=(client, chunked if number % 2 else told))
            for number, client in enumerate(clients)
        ]
        for thread in threads:
            thread.start()
        highest = 0
        while any(thread.is_alive() for thread in threads):
            assert server.http.get("/healthz").status_code == 200
            highest = max(highest, resident())
            time.sleep(0.05)
        assert highest - before < 300_000_000
        assert len(seen) == 8 and all(one == b"" or b" 413 " in one for one in seen) and any(seen)
        assert server.answers(["abc"])


def test_names_that_look_like_paths_are_looked_up_and_not_opened(server):
    for name in ("../../etc/passwd", "..%2f..%2fetc", "/etc/passwd", "speller/../speller", "speller\x00", "."):
        found = server.ask(["abc"], model=name)
        assert "no model called" in sentence(found, 422)
        assert server.http.get("/v1/runs/events", params={"run": name}).status_code == 404


def test_addresses_are_texts_and_nothing_is_fetched(server, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection was made")

    texts = ["http://127.0.0.1:1/", "file:///etc/passwd", "https://example.org/a.wav", "\\\\host\\share"]
    body = json.dumps({"inputs": texts}).encode()
    with server.raw() as client:
        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket.socket, "connect_ex", refuse)
        client.sendall(post(body))
        client.settimeout(20)
        assert client.recv(65536).startswith(b"HTTP/1.1 200")


# --------------------------------------------------------------------------------------------------------------- sound


@pytest.fixture(scope="module")
def hears(tmp_path_factory):
    """A run that reads sounds, and the sounds it was trained on."""
    folder = tmp_path_factory.mktemp("hears")
    settings = tiny("transduce", {"training.steps": 4, "training.tokens": 400})  # without hashed n-grams
    quick(sounds.glides(folder / "data"), folder / "run", settings=settings)
    with serving({"hears": folder / "run"}) as server:
        yield server, folder


@pytest.mark.long
def test_sound_comes_as_the_body_and_as_nothing_else(hears):
    from headway.predictor import Predictor

    server, folder = hears
    file = folder / "data" / "sounds" / "0.wav"
    headers = {"content-type": "audio/wav"}
    found = server.http.post("/v1/predict?scores=true", content=file.read_bytes(), headers=headers).json()["answers"]
    (expected,) = Predictor(folder / "run").predict(str(file), scores=True)
    assert found[0]["label"] == expected.label and found[0]["score"] == pytest.approx(expected.score, abs=1e-4)
    for given in (str(file), "http://127.0.0.1/a.wav", [str(file)], {"path": str(file)}):
        assert "never opened" in sentence(server.ask([given]), 415)
    assert "no sound" in sentence(server.http.post("/v1/predict", content=b"PK\x03\x04zip", headers=headers), 422)
    wrong = server.http.post("/v1/predict?nbset=3", content=b"RIFF", headers=headers)
    assert "did you mean 'nbest'" in sentence(wrong, 422)
    viewed = server.http.post("/v1/predict?attention=true&layers=0", content=file.read_bytes(), headers=headers)
    assert viewed.json()["answers"][0]["view"]["scene"]["kind"] == "spectrogram"


@pytest.mark.long
def test_a_bomb_of_sound_is_left_early(hears):
    server, _ = hears
    bomb = io.BytesIO()
    soundfile.write(bomb, np.zeros(48_000 * 1200, np.int16), 48_000, format="FLAC")
    before = resident()
    headers = {"content-type": "audio/flac"}
    assert "at most" in sentence(server.http.post("/v1/predict", content=bomb.getvalue(), headers=headers), 422)
    assert resident() - before < 150_000_000


# ------------------------------------------------------------------------------------------------------------- fuzzing


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_nothing_that_openapi_allows_or_forbids_makes_a_mistake(runs):
    """schemathesis: no 5xx but those that are meant, every status documented, every answer as its schema says."""
    import hypothesis
    import schemathesis
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    with serving({"speller": runs("transduce")}, [runs.folder]) as server:
        url = f"http://127.0.0.1:{server.port}"
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        checks = [schemathesis.checks.not_a_server_error, status_code_conformance, content_type_conformance]
        checks.append(response_schema_conformance)
        for result in schema.get_all_operations():
            operation = result.ok()
            if operation.path == "/v1/runs/live":  # a stream has no end
                continue

            @hypothesis.given(case=operation.as_strategy())
            @hypothesis.settings(max_examples=25, suppress_health_check=list(hypothesis.HealthCheck), database=None)
            def send(case):
                case.call_and_validate(base_url=url, checks=checks, timeout=60)

            send()
