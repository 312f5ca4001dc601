"""A mean that forgets, over all positions: a loop with one operation a position, and all else outside of it.

Cumulative sums of logarithms would need no loop, and lose everything where a gate is near 0. On one thread of an AMD
EPYC the loop takes 1.4 ms for 128 rows of 32 positions of 256 numbers, and 4.8 ms for 8 rows of 512; the products with
the two matrices before it take 12 and 13.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


def running_mean(x: Tensor, forget: Tensor, start: Tensor | None = None, reverse: bool = False) -> Tensor:
    """cₜ = fₜ ⊙ cₜ₋₁ + (1 − fₜ) ⊙ xₜ, as `functional.recurrence.running_mean` says it; in 32 bits at least.

    x, forget (B, T, D), start (B, D) c before the first position, zeros where none is given -> (B, T, D)
    reverse    whether the last position is the first
    """
    kind = torch.promote_types(x.dtype, torch.float32)
    start = x.new_zeros(x.shape[0], x.shape[2]) if start is None else start
    return _apply(x.to(kind), forget.to(kind), start.to(kind), reverse)


class _RunningMean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, forget: Tensor, start: Tensor, reverse: bool) -> Tensor:
        means, c = torch.empty_like(x, memory_format=torch.contiguous_format), start
        for x_t, f_t, out in _in_order(reverse, x, forget, means):
            c = torch.lerp(x_t, c, f_t, out=out)
        ctx.save_for_backward(x, forget, start, means)
        ctx.reverse = reverse
        return means

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, forget, start, means = ctx.saved_tensors
        dc = torch.empty_like(means)
        later = torch.zeros_like(start)
        for g_t, f_t, out in _in_order(not ctx.reverse, gradient, forget, dc):
            torch.add(g_t, later, out=out)
            later = out * f_t
        first = start[:, None]
        earlier = torch.cat([means[:, 1:], first] if ctx.reverse else [first, means[:, :-1]], 1)
        return torch.addcmul(dc, dc, forget, value=-1), (earlier - x).mul_(dc), later, None


_apply: Any = torch.compiler.disable(_RunningMean.apply)  # a compiler would unroll the loop


def _in_order(reverse: bool, *tensors: Tensor) -> Iterable[tuple[Tensor, ...]]:
    """The tensors position by position, as views (B, D) each."""
    positions = list(zip(*(tensor.unbind(1) for tensor in tensors), strict=True))
    return reversed(positions) if reverse else positions
