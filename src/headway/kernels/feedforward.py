"""The two matrices around a ReLU as one operation: nothing of the hidden width is written twice.

The activation comes with the first product, dropout changes it in place, and dropout's factor goes into the second
matrix, which is small. Backward, the hidden gradient is cut in place where the hidden vector is zero.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from headway.kernels.dropout import keep_mask
from headway.kernels.linear import product, product_type, result_type


def relu_feed_forward(x: Tensor, inner: Tensor, bias: Tensor, outer: Tensor, end: Tensor, rate: float) -> Tensor:
    """W₂ dropout(max(0, W₁x + b₁)) + b₂ (Vaswani et al. 2017, equation 2).

    x (…, D), inner W₁ (F, D), bias b₁ (F), outer W₂ (D, F), end b₂ (D) -> (…, D)
    """
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        return F.linear(F.dropout(F.linear(x, inner, bias).relu(), rate), outer, end)
    return _ReluFeedForward.apply(x, inner, bias, outer, end, rate)


class _ReluFeedForward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, inner: Tensor, bias: Tensor, outer: Tensor, end: Tensor, rate: float) -> Tensor:
        kind = product_type(x)
        ctx.kinds, ctx.shape, ctx.scale = (x.dtype, inner.dtype), x.shape, 1.0
        rows, inner, outer = x.reshape(-1, x.shape[-1]).to(kind), inner.to(kind), outer.to(kind)
        hidden = product(rows, inner, bias.to(kind), relu=True)
        if rate:
            keep, ctx.scale = keep_mask(hidden, rate)
            hidden.mul_(keep.to(kind))
            outer = outer * ctx.scale
        ctx.save_for_backward(rows, hidden, inner, outer)
        return product(hidden, outer, end.to(kind)).to(result_type(x)).view(x.shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, hidden, inner, outer = ctx.saved_tensors
        kind, kept = ctx.kinds
        gradient = gradient.reshape(-1, gradient.shape[-1]).to(rows.dtype)
        douter = (gradient.t() @ hidden).to(kept).mul_(ctx.scale)
        dhidden = product(gradient, outer.t())
        torch.ops.aten.threshold_backward.grad_input(dhidden, hidden, 0, grad_input=dhidden)
        dx = product(dhidden, inner.t()).view(ctx.shape).to(kind) if ctx.needs_input_grad[0] else None
        dinner = (dhidden.t() @ rows).to(kept)
        return dx, dinner, dhidden.sum(0).to(kept), douter, gradient.sum(0).to(kept), None
