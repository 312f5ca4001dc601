"""The output layer and its cross entropy together, so that the logits of a whole batch never exist.

The rows go through in pieces; each piece's gradient is made in the forward pass, while its logits are at hand. With
N = 4,096 rows and V = 8,000 the logits and their gradient would be 256 MiB, mapped and unmapped at every step.
"""

from typing import Any

import torch
from torch import Tensor

from headway.functional.losses import cross_entropy

ROWS = 256
"""Rows of a piece: its logits (V = 8,000: 8 MiB) stay in the cache between product, softmax and gradient."""


def projected_cross_entropy(
    x: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, smoothing: float = 0.0
) -> Tensor:
    """The summed cross entropy of x Wᵀ + b: `functional.losses.cross_entropy` behind a linear layer.

    x (N, D), weight (V, D), bias (V) or None, targets (N) -> ()
    """
    if x.device.type != "cpu":
        logits = torch.nn.functional.linear(x, weight, bias).float()
        return cross_entropy(logits, targets, torch.ones_like(targets, dtype=torch.bool), smoothing)[0]
    return _ProjectedCrossEntropy.apply(x, weight, bias, targets, smoothing)


class _ProjectedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, smoothing: float) -> Tensor:
        wants_gradient = x.requires_grad or weight.requires_grad
        if torch.is_autocast_enabled("cpu"):
            kind = torch.get_autocast_dtype("cpu")
            x, weight = x.to(kind), weight.to(kind)
        V, wide = len(weight), torch.promote_types(x.dtype, torch.float32)
        total = torch.zeros((), dtype=wide)
        dx = torch.empty_like(x)
        dweight = torch.zeros(weight.shape, dtype=wide)
        dbias = None if bias is None else torch.zeros_like(bias)
        for start in range(0, len(x), ROWS):
            rows, right = x[start : start + ROWS], targets[start : start + ROWS, None]
            logits = (rows @ weight.T if bias is None else torch.addmm(bias.to(x.dtype), rows, weight.T)).to(wide)
            logits -= logits.amax(-1, keepdim=True)
            expected = (1 - smoothing) * logits.gather(1, right) + smoothing * logits.mean(-1, keepdim=True)
            gradient = logits.exp_()
            norm = gradient.sum(-1, keepdim=True)
            total += (norm.log() - expected).sum()
            if not wants_gradient:
                continue
            gradient.div_(norm).sub_(smoothing / V)  # softmax − the smoothed target
            gradient.scatter_add_(1, right, torch.full_like(right, -(1 - smoothing), dtype=wide))
            if dbias is not None:
                dbias += gradient.sum(0)
            gradient = gradient.to(x.dtype)
            torch.mm(gradient, weight, out=dx[start : start + ROWS])
            if x.dtype == wide:
                dweight.addmm_(gradient.T, rows)
            else:
                dweight += gradient.T @ rows
        ctx.save_for_backward(dx, dweight, dbias)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        dx, dweight, dbias = ctx.saved_tensors
        return dx * gradient, dweight * gradient, None if dbias is None else dbias * gradient, None, None
