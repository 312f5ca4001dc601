"""The output layer and its cross entropy together, so that the logits of a whole batch never exist.

The rows go through in pieces; each piece's gradient is made in the forward pass, while its logits are at hand. With
N = 4,096 rows and V = 8,000 the logits and their gradient would be 256 MiB, mapped and unmapped at every step.
"""

from typing import Any

import torch
from torch import Tensor

from headway.functional.losses import cross_entropy
from headway.kernels.linear import product, product_type

ROWS = 256
"""Rows of a piece: its logits (V = 8,000: 8 MiB) stay in the cache between product, softmax and gradient."""


def projected_cross_entropy(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    smoothing: float = 0.0,
    shares: Tensor | None = None,
) -> Tensor:
    """The summed cross entropy of x Wᵀ + b: `functional.losses.cross_entropy` behind a linear layer.

    x (N, D), weight (V, D), bias (V) or None, targets (N), shares (N) what each row counts, or None -> ()
    """
    if x.device.type != "cpu":
        logits = torch.nn.functional.linear(x, weight, bias).float()
        counted = torch.ones_like(targets, dtype=torch.bool)
        return cross_entropy(logits, targets, counted, smoothing, shares=shares)[0]
    return _ProjectedCrossEntropy.apply(x, weight, bias, targets, smoothing, shares)


class _ProjectedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        targets: Tensor,
        smoothing: float,
        shares: Tensor | None,
    ) -> Tensor:
        wants_gradient = any(ctx.needs_input_grad)
        kind, wide = product_type(x), torch.promote_types(x.dtype, torch.float32)
        x, weight, bias = x.to(kind), weight.to(kind), None if bias is None else bias.to(kind)
        counts = torch.ones(len(x), 1, dtype=wide) if shares is None else shares[:, None].to(wide)
        V, even = len(weight), smoothing / len(weight)
        mean = weight.to(wide).mean(0)
        total = torch.zeros((), dtype=wide)
        dx = torch.empty_like(x)
        dweight = torch.zeros(weight.shape, dtype=wide)
        dbias = None if bias is None else torch.zeros(V, dtype=wide)
        for start in range(0, len(x), ROWS):
            rows, right = x[start : start + ROWS], targets[start : start + ROWS, None]
            p, losses = _softmax_and_losses(product(rows, weight, bias), right, smoothing)
            count = counts[start : start + ROWS]
            total += losses.sum() if shares is None else (losses * count).sum()
            if not wants_gradient:
                continue
            if shares is not None:
                p *= count.to(p.dtype)
            if dbias is not None:
                dbias += p.sum(0)
            torch.mm(p, weight, out=dx[start : start + ROWS])
            if kind == wide:
                dweight.addmm_(p.T, rows)
            else:
                dweight += p.T @ rows
        if smoothing:  # the share that is spread evenly is the same for all rows: one correction behind the loop
            summed, number = (counts * x).sum(0, dtype=wide), counts.sum()
            total -= smoothing * (summed @ mean + (0.0 if bias is None else number * bias.to(wide).mean()))
            if wants_gradient:
                dx -= (counts * (smoothing * mean)).to(kind)
                dweight -= even * summed
                if dbias is not None:
                    dbias -= even * number
        ctx.save_for_backward(dx, dweight, dbias)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        dx, dweight, dbias = ctx.saved_tensors
        return dx * gradient, dweight * gradient, None if dbias is None else dbias * gradient, None, None, None


def _softmax_and_losses(logits: Tensor, right: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """The softmax of logits (N, V) less the share of the right target (N, 1), and norm − (1 − smoothing) logit."""
    wide = torch.promote_types(logits.dtype, torch.float32)
    p = logits.softmax(-1)
    own, chance = logits.gather(1, right).to(wide), p.gather(1, right).to(wide)
    norm = own - chance.log()
    if not bool(chance.all()):  # one so small that it is no number any more has no logarithm
        norm = logits.to(wide).logsumexp(-1, keepdim=True)
    p.scatter_(1, right, (chance - (1 - smoothing)).to(p.dtype))
    return p, norm - (1 - smoothing) * own
