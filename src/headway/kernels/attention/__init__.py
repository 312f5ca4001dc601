"""The same attention, fast: engines that give the definition's numbers, and say why where they cannot.

Each engine answers `refuses(request)` with a reason or None. `auto` takes the best that does not refuse.
"""

import logging
from functools import cache

import torch
from torch import Tensor

from headway.errors import UsageError
from headway.kernels.attention._choosing import ranked
from headway.kernels.attention._contract import Engine, Request
from headway.settings import Room

__all__ = ["ENGINES", "Engine", "Request", "attention", "choose", "engine_named"]

log = logging.getLogger(__name__)

ENGINES = Room(__name__, Engine, "engine")


_made: dict[str, Engine] = {}


def engine_named(name: str) -> Engine:
    """The engine of that name. Raises UsageError."""
    if name not in _made:
        _made[name] = ENGINES.part(name)()
    return _made[name]


def attention(request: Request, engine: str = "auto") -> Tensor:
    """(B, H, T, Kv) by the engine named. Raises UsageError where a named engine refuses."""
    if engine == "auto":
        engine = choose(request)
    elif (reason := engine_named(engine).refuses(request)) is not None:
        raise UsageError(f"the attention engine {engine} refuses: {reason}; `auto` takes one that does not")
    return request.normalizer.finish(engine_named(engine).attention(request))


def choose(request: Request) -> str:
    """The name of the engine that `auto` takes: the first in order of speed that does not refuse."""
    why, names = ranked(request)
    name = next(name for name in names if engine_named(name).refuses(request) is None)
    _say_once(name, request.q.device.type, why)
    return name


@cache
@torch.compiler.assume_constant_result  # said once a compilation
def _say_once(name: str, device: str, why: str) -> None:
    log.info("attention engine on %s: %s (%s)", device, name, why)
