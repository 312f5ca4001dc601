"""Which attention engine takes what: each is asked with a sample of every kind, and says why where it refuses."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch._subclasses.fake_tensor import FakeTensorMode

from headway.functional.masks import Mask
from headway.kernels.attention import ENGINES, Request, engine_named
from headway.normalizers import NORMALIZERS
from headway.scores import SCORES
from headway.settings import Room

DEVICES = "cpu", "cuda"


@dataclass
class Abilities:
    """What an engine takes in each column of the table, and what it refuses for which reason."""

    engine: str
    takes: dict[str, str] = field(default_factory=dict)
    refused: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    "By column and reason."

    devices: list[str] = field(default_factory=list)

    def ask(self, column: str, requests: dict[str, Request]) -> Request:
        """Ask once for each request; returns the first that is taken, or the first of all."""
        reasons = {name: engine_named(self.engine).refuses(request) for name, request in requests.items()}
        taken = [name for name, reason in reasons.items() if reason is None]
        if column == "devices":
            self.devices = taken
        self.takes[column] = "all" if len(taken) == len(reasons) else ", ".join(taken) or "no"
        for name, reason in reasons.items():
            if reason is not None:
                self.refused.setdefault((column, reason), []).append(name)
        return requests[next(iter(taken), next(iter(requests)))]


def abilities() -> Iterator[Abilities]:
    """Of every engine, on devices that need not be there."""
    with FakeTensorMode():
        for engine in ENGINES.names():
            found = Abilities(engine)
            usual = _usual(engine)
            usual = found.ask("devices", {device: _on(usual, device) for device in DEVICES})
            usual = found.ask("scores", {name: replace(usual, score=_part(SCORES, name)) for name in SCORES.names()})
            found.ask(
                "normalizers",
                {name: replace(usual, normalizer=_part(NORMALIZERS, name)) for name in NORMALIZERS.names()},
            )
            bias = usual.q.new_zeros(1, 1, 1, 1)
            learned = replace(usual, bias=bias.clone().requires_grad_())
            found.ask("bias", {"given": replace(usual, bias=bias), "learned": learned})
            dropping = replace(usual, dropout=0.1)
            found.ask("dropout", {device: _on(dropping, device) for device in DEVICES if device in found.devices})
            yield found


def print_abilities(console: Console) -> None:
    columns = ["scores", "normalizers", "bias", "dropout", "devices"]
    table, notes = Table("", title="what each takes", title_justify="left"), []
    for column in columns:
        table.add_column(column, overflow="fold")
    for found in abilities():
        table.add_row(found.engine, *(found.takes[column] for column in columns))
        for (column, reason), names in found.refused.items():
            notes.append(f"{found.engine} refuses {column} {', '.join(names)}: {reason}")
    console.print(table)
    console.print("\n".join(notes), markup=False)


def _usual(engine: str) -> Request:
    """A request with a score that the engine takes on some device, if there is one."""
    x = torch.zeros(1, 1, 8, 8)
    requests = [
        Request(x, x, x, Mask(), None, _part(SCORES, score), _part(NORMALIZERS, "softmax"))
        for score in ("scaled_dot", *SCORES.names())
    ]
    taken = (r for r in requests for device in DEVICES if engine_named(engine).refuses(_on(r, device)) is None)
    return next(taken, requests[0])


def _on(request: Request, device: str) -> Request:
    q, k, v = (x.new_zeros(x.shape, device=device) for x in (request.q, request.k, request.v))
    return replace(request, q=q, k=k, v=v)


def _part(room: Room, name: str) -> Any:
    return room.build(room.choose(name), 1, 8)
