"""Dropout whose mask comes from random bytes.

torch's own draws one Bernoulli number after another on one CPU thread: on 4 million numbers it takes as long as four
products of 4096 × 256 × 1024. Here one 64-bit random number decides for eight elements, so the rate is a multiple of
1/256; what is kept is scaled by the rate that was really used, so the expectation is exact. A mask is a byte of 0 or 1
an element, made by operations that torch vectorizes (comparing bytes and multiplying by booleans are not among them).
On a GPU torch's own dropout is used.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

_LOWEST = torch.iinfo(torch.int64).min


class _Thread(threading.local):
    generator: torch.Generator | None = None


_thread = _Thread()


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Inside, this thread draws its random numbers on the CPU from a generator of its own."""
    before = _thread.generator
    _thread.generator = torch.Generator().manual_seed(seed)
    try:
        yield
    finally:
        _thread.generator = before


def generator_for(x: Tensor) -> torch.Generator | None:
    """What random numbers that belong to x are drawn from; None for torch's own generator."""
    return _thread.generator if x.device.type == "cpu" else None


def drawn_seed() -> int:
    """A seed, drawn where this thread draws its random numbers."""
    return int(torch.randint(2**62, (), generator=_thread.generator))


def dropout(x: Tensor, rate: float) -> Tensor:
    """x with a share of its elements zero and the rest scaled up; x itself where the rate is 0."""
    if rate == 0.0:
        return x
    if _by_torch(x):
        return F.dropout(x, rate)
    return _Dropout.apply(x, rate)


def dropout_add(x: Tensor, update: Tensor, rate: float) -> Tensor:
    """x + dropout(update): the residual connection in one pass over memory."""
    if rate == 0.0:
        return x + update
    if _by_torch(x):
        return x + F.dropout(update, rate)
    return _DropoutAdd.apply(x, update, rate)


def _by_torch(x: Tensor) -> bool:
    """Whether torch's own dropout is taken: on a GPU, and where a compiler makes one loop of it and its neighbours."""
    return x.device.type != "cpu" or torch.compiler.is_compiling()


def keep_mask(x: Tensor, rate: float, generator: torch.Generator | None = None) -> tuple[Tensor, float]:
    """(bytes, 1 where an element is kept, in the shape of x; the factor that scales what is kept)."""
    threshold = min(255, max(1, round(rate * 256)))
    words = torch.empty((x.numel() + 7) // 8, dtype=torch.int64, device=x.device)
    words.random_(_LOWEST, None, generator=generator or generator_for(x))
    keep = words.view(torch.uint8).clamp_(threshold - 1, threshold).sub_(threshold - 1)
    return keep[: x.numel()].view(x.shape), 256 / (256 - threshold)


def _kept(x: Tensor, keep: Tensor, scale: float, onto: Tensor | None = None) -> Tensor:
    """onto (or 0) + scale × x where it is kept."""
    return torch.addcmul(x.new_zeros(()) if onto is None else onto, x, keep.to(x.dtype), value=scale)


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rate: float) -> Tensor:
        keep, ctx.scale = keep_mask(x, rate)
        ctx.save_for_backward(keep)
        return _kept(x, keep, ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (keep,) = ctx.saved_tensors
        return _kept(gradient, keep, ctx.scale), None


class _DropoutAdd(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, update: Tensor, rate: float) -> Tensor:
        keep, ctx.scale = keep_mask(update, rate)
        ctx.save_for_backward(keep)
        ctx.kind = update.dtype
        if update.dtype != x.dtype:  # under autocast the residual stream is wider than what is added to it
            update = update.to(x.dtype)
        return _kept(update, keep, ctx.scale, x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        (keep,) = ctx.saved_tensors
        return gradient, _kept(gradient.to(ctx.kind), keep, ctx.scale), None
