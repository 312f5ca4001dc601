"""What one server takes, and the refusal of anything else: a status of HTTP and a plain sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """
    body            bytes of one request
    inputs          inputs of one request
    characters      characters, numbers of a vector row or nodes that one input may have
    seconds         until a request is answered, or refused with 504
    queue           inputs that wait at most, of all requests together, for one model
    per_client      requests of one client at the same time; 0 for any number
    in_hand         bytes of all requests together that are held at the same time
    connections     connections at the same time; the longest idle makes room for a new one
    streams         streams of running trainings at the same time
    weights         numbers of attention that one input may be answered with
    """

    body: int = 16 * MIB
    inputs: int = 256
    characters: int = 20_000
    seconds: float = 30.0
    queue: int = 1024
    per_client: int = 64
    in_hand: int = 256 * MIB
    connections: int = 2048
    streams: int = 64
    weights: int = 300_000


class Refusal(Exception):
    """What is not done for a client, and why."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None):
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, dict(headers or {})


def problem(status: int, sentence: str) -> dict[str, Any]:
    """A refusal as JSON (RFC 9457)."""
    return {"title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
