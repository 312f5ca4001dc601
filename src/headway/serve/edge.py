"""What is done for every request, whatever it asks: who asks and whether they may, headers, logs, meters."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headway.serve import logs
from headway.serve.house import House
from headway.serve.keys import Keys
from headway.serve.limits import MIB, Refusal, problem

OPEN = ("/healthz", "/readyz")
"""What is answered without a key, beside the page, which holds nothing of a model."""
COUNTED = "/v1/"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


@dataclass(frozen=True, slots=True)
class Door:
    """Who may come in.

    keys     None where everybody may
    hosts    names by which the server may be called, in lower case; none where any will do
    cors     origins whose pages may read answers
    """

    keys: Keys | None = None
    hosts: frozenset[str] = frozenset()
    cors: Sequence[str] = ()


class Edge:
    """An ASGI application around that of the routes."""

    def __init__(self, app: ASGIApp, house: House, door: Door):
        self.app, self.house, self.door = app, house, door
        self.inside: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = _Visit(scope, send, self.house)
        counted = False
        try:
            visit.client = client = self._admitted(scope)
            if scope["path"].startswith(COUNTED):
                self._count(client)
                counted = True
            await self.app(scope, receive, visit.send)
        except Refusal as refusal:
            await refused(refusal)(scope, receive, visit.send)
        except Exception:
            logs.LOG.exception("a request failed", extra={logs.FIELDS: {"request": visit.number}})
            if not visit.status:
                await failed()(scope, receive, visit.send)
        finally:
            if counted:
                self.inside[visit.client] -= 1
                if not self.inside[visit.client]:
                    del self.inside[visit.client]
            visit.end()

    def _admitted(self, scope: Scope) -> str:
        """The name of the client. Raises Refusal."""
        headers = _headers(scope)
        host = _host_of(headers.get(b"host", b""))
        if self.door.hosts and host not in self.door.hosts:
            raise Refusal("host")
        coding = headers.get(b"content-encoding", b"identity").strip().lower()
        if coding not in (b"", b"identity"):
            raise Refusal("packed")
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and (len(length) > 18 or int(length) > self.house.limits.body):
            raise too_large(self.house)
        address = (scope.get("client") or ("unknown", 0))[0]
        if self.door.keys is None or scope["path"] in OPEN or not _guarded(scope):
            return str(address)
        owner = self.door.keys.owner(_key_of(headers))
        if owner is None:
            raise Refusal("key", headers={"WWW-Authenticate": "Bearer"})
        return owner

    def _count(self, client: str) -> None:
        most = self.house.limits.per_client
        if most and self.inside[client] >= most:
            raise Refusal("per_client", headers={"Retry-After": "1"}, allowed=most)
        self.inside[client] += 1


def _guarded(scope: Scope) -> bool:
    """Whether a path needs a key: all but the page, which is the same for everybody."""
    path = scope["path"]
    return path.startswith(COUNTED) or path in ("/metrics", "/openapi.json") or scope["method"] not in ("GET", "HEAD")


class _Visit:
    """One request from its first byte to its last, for the log and the meters."""

    def __init__(self, scope: Scope, send: Send, house: House):
        self.scope, self._send, self.house = scope, send, house
        self.number, self.began, self.status, self.client = secrets.token_hex(8), monotonic(), 0, ""
        scope["state"] = {**scope.get("state", {}), "told": {}}
        house.meters.inside.inc()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            more = [*HEADERS, (b"x-request-id", self.number.encode())]
            if self.house.draining:
                more.append((b"connection", b"close"))
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await self._send(message)

    def end(self) -> None:
        seconds = monotonic() - self.began
        meters, method = self.house.meters, self.scope["method"]
        route = getattr(self.scope.get("route"), "path", "other")
        method = method if method in ("GET", "HEAD", "POST", "OPTIONS") else "other"
        meters.inside.dec()
        meters.requests.labels(route, method, str(self.status)).inc()
        meters.seconds.labels(route, method).observe(seconds)
        told: dict[str, Any] = self.scope["state"]["told"]
        logs.tell(
            "request", request=self.number, client=self.client, method=method, route=route, status=self.status,
            milliseconds=round(1000 * seconds, 1), **told,
        )  # fmt: skip


def refused(refusal: Refusal) -> Response:
    """A refusal as a response. What a client may still be sending is not read, so the connection ends behind it."""
    headers = dict(refusal.headers)
    if refusal.status in (408, 413):
        headers["Connection"] = "close"
    return JSONResponse(problem(refusal), refusal.status, headers, media_type="application/problem+json")


def failed() -> Response:
    """What a client is told of a mistake in headway: that there is one."""
    return refused(Refusal("mistake"))


def too_large(house: House) -> Refusal:
    """The refusal of a body that is too large."""
    return Refusal("body_size", mebibytes=house.limits.body / MIB)


def _headers(scope: Scope) -> dict[bytes, bytes]:
    return dict(scope["headers"])


def _host_of(header: bytes) -> str:
    """The name in a Host header, without its port."""
    host = header.decode("latin-1").strip().lower()
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def _key_of(headers: dict[bytes, bytes]) -> str:
    kind, _, key = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return key.strip() if kind.lower() == "bearer" else headers.get(b"x-api-key", b"").decode("latin-1").strip()
