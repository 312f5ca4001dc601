"""Split into heads and merged: each number moves once, forward and backward.

Written with torch's views, the gradients of queries, keys and values are stacked in one pass and put in order in
another, and every batched product first copies what lies between the heads.
"""

from typing import Any

import torch
from torch import Tensor


def split(projected: Tensor, parts: int, heads: int) -> list[Tensor]:
    """(B, T, parts × H × K) -> for each part its heads (B, H, T, K), contiguous."""
    return list(_Split.apply(projected, parts, heads))


def merge(x: Tensor) -> Tensor:
    """(B, H, T, K) -> (B, T, H × K)"""
    return _Merge.apply(x)


class _Split(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, parts: int, heads: int) -> tuple[Tensor, ...]:
        ctx.shape = B, T, D = x.shape
        ctx.parts, ctx.heads = parts, heads
        by_part = x.view(B, T, parts, heads, D // (parts * heads))
        return tuple(by_part[:, :, part].transpose(1, 2).contiguous() for part in range(parts))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        B, T, D = ctx.shape
        together = gradients[0].new_empty(B, T, ctx.parts, ctx.heads, D // (ctx.parts * ctx.heads))
        for part, gradient in enumerate(gradients):
            together[:, :, part].copy_(gradient.transpose(1, 2))
        return together.view(B, T, D), None, None


class _Merge(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        B, H, T, K = ctx.shape = x.shape
        return x.transpose(1, 2).reshape(B, T, H * K)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        B, H, T, K = ctx.shape
        return gradient.reshape(B, T, H, K).transpose(1, 2).contiguous()
