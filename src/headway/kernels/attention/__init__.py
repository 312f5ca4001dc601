"""The same attention, fast: engines that give the definition's numbers, and say why where they cannot.

Each engine answers `refuses(request)` with a reason or None. `auto` takes the best that does not refuse.
"""

import logging
from dataclasses import dataclass
from functools import cache

from torch import Tensor

from headway.errors import UsageError
from headway.functional.masks import Mask
from headway.normalizers import Normalizer
from headway.scores import Score
from headway.settings import Room

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One attention to compute.

    q, k, v    (B, H, T, K), (B, H, S, K), (B, H, S, Kv)
    bias       broadcastable to (B, H, T, S), or None
    dropout    the share of weights that is dropped; 0 outside training
    """

    q: Tensor
    k: Tensor
    v: Tensor
    mask: Mask
    bias: Tensor | None
    score: Score
    normalizer: Normalizer
    dropout: float = 0.0

    def table(self) -> Tensor | None:
        """(B or 1, 1, T or 1, S) where may be looked; None where everywhere."""
        return self.mask.table(self.q.shape[2], self.k.shape[2], self.q.device)


class Engine:
    """One way to compute an attention."""

    def refuses(self, request: Request) -> str | None:
        """Why this engine cannot take the request; None where it can."""
        raise NotImplementedError

    def attention(self, request: Request) -> Tensor:
        """(B, H, T, Kv) equal to the definition in value and gradient, before the normalizer's `finish`."""
        raise NotImplementedError


ENGINES = Room(__name__, Engine, "engine")


@cache
def engine_named(name: str) -> Engine:
    """The engine of that name. Raises UsageError."""
    return ENGINES.part(name)()


def attention(request: Request, engine: str = "auto") -> Tensor:
    """(B, H, T, Kv) by the engine named. Raises UsageError where a named engine refuses."""
    if engine == "auto":
        engine = choose(request)
    elif (reason := engine_named(engine).refuses(request)) is not None:
        raise UsageError(f"the attention engine {engine} refuses: {reason}; `auto` takes one that does not")
    return request.normalizer.finish(engine_named(engine).attention(request))


def choose(request: Request) -> str:
    """The name of the engine that `auto` takes: the first in order of speed that does not refuse.

    On a CPU torch's fused kernel draws its dropout mask one number at a time, which costs more than the attention
    itself, and for one asking position its set-up costs more than the two products: there `matmul` is first. The
    orders come from `benchmarks/attention`.
    """
    on_cpu = request.q.device.type == "cpu"
    matmul_first = on_cpu and (request.dropout > 0 or request.q.shape[2] == 1)
    for name in ("matmul", "fused", "definition") if matmul_first else ("fused", "matmul", "definition"):
        reason = engine_named(name).refuses(request)
        if reason is None:
            _say_once(name, request.q.device.type, request.dropout > 0)
            return name
    raise UsageError("no attention engine takes this request")


@cache
def _say_once(name: str, device: str, dropout: bool) -> None:
    log.info("attention engine on %s%s: %s", device, " with dropout" if dropout else "", name)
