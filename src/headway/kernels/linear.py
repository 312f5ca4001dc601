"""x Wᵀ + b by oneDNN on a CPU, in the precision that is asked for.

torch sends products of 32-bit numbers to MKL and adds the bias in a pass of its own: 85 to 93 GFLOP/s a thread on an
AMD EPYC, where oneDNN, which takes product, bias and ReLU in one, reaches 104 to 110, and 210 where the factors are
rounded to bfloat16. torch's precision `medium` allows that rounding, and torch itself makes use of it only on
processors with matrix units; here it is made use of wherever the processor multiplies bfloat16 directly.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

WORTH_A_PROGRAM = 400_000
"""Numbers of a weight from which oneDNN's own layout is faster by more than its programs cost."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(…, D) times (F, D) plus (F) -> (…, F), the same as torch's; under autocast in its type."""
    if torch.compiler.is_compiling() or not _by_onednn(x, weight):
        return F.linear(x, weight, bias)
    return _Linear.apply(x, weight, bias)


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None, relu: bool = False) -> Tensor:
    """x Wᵀ + b, or max(0, x Wᵀ + b), of two matrices, outside autograd."""
    if not torch.compiler.is_compiling() and _by_onednn(x, weight):
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "relu" if relu else "none", [], "")
    y = F.linear(x, weight, bias)
    return y.relu_() if relu else y


class Packed:
    """x Wᵀ + b for a weight that does not change, laid out once as the product reads it best.

    For one row that is the transposed copy, a sum of long rows; or where it narrows the matrix as it is, products of
    long rows (2,048 to 512 takes 130 µs instead of 220 without AVX-512). For several it is the blocks of oneDNN (on a
    CPU 32 rows by 256 × 8,000 take 1.4 ms instead of 2.4, five rows 0.2 instead of 0.6). oneDNN makes a program for
    every number of rows (0.5 ms), which small weights do not earn back where that number is ever another: these have
    what is best for one row.
    """

    __slots__ = ("bias", "packed", "transposed")

    def __init__(self, weight: Tensor, bias: Tensor):
        """weight (F, D), bias (F)"""
        narrows = weight.shape[0] < weight.shape[1]
        self.transposed = weight.detach().contiguous().t() if narrows else weight.detach().t().contiguous()
        self.bias, self.packed = bias.detach(), None
        if weight.dtype == torch.float32 and weight.numel() >= WORTH_A_PROGRAM and _by_onednn(weight, weight):
            self.packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous())

    def __call__(self, x: Tensor) -> Tensor:
        """(N, D) -> (N, F)"""
        if self.packed is None or len(x) == 1:
            return torch.addmm(self.bias, x, self.transposed)
        return torch.ops.mkldnn._linear_pointwise(x.float(), self.packed, self.bias, "none", [], "")


def result_type(x: Tensor) -> torch.dtype:
    """What products of x come out in: its own type, or autocast's."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype


def product_type(x: Tensor) -> torch.dtype:
    """What the factors of products of x are rounded to: bfloat16 under `medium` where that is faster."""
    kind = result_type(x)
    medium = kind == torch.float32 and torch.get_float32_matmul_precision() == "medium"
    return torch.bfloat16 if medium and _multiplies_bfloat16() else kind


def _by_onednn(x: Tensor, weight: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.bfloat16)
        and weight.dtype in (torch.float32, torch.bfloat16)
        and x.numel() > 0
        and _onednn()
        and (torch.float32 == x.dtype == weight.dtype or onednn_knows_bfloat16())
    )


@cache
def _onednn() -> bool:
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")


@cache
def onednn_knows_bfloat16() -> bool:
    """It does from AVX-512 on; on older processors it refuses, and torch's own product is slow but there."""
    known = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return known is not None and known()


@cache
def _multiplies_bfloat16() -> bool:
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return _onednn() and supported is not None and supported()


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        kind = product_type(x)
        rows, matrix = x.reshape(-1, x.shape[-1]).to(kind), weight.to(kind)
        ctx.save_for_backward(rows, matrix)
        ctx.kinds, ctx.shape = (x.dtype, weight.dtype), x.shape
        y = product(rows, matrix, None if bias is None else bias.to(kind))
        return y.to(result_type(x)).view(*x.shape[:-1], len(weight))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, matrix = ctx.saved_tensors
        gradient = gradient.reshape(-1, gradient.shape[-1]).to(rows.dtype)
        of_x, of_weight, of_bias = ctx.needs_input_grad
        kind, kept = ctx.kinds
        return (
            product(gradient, matrix.t()).view(ctx.shape).to(kind) if of_x else None,
            (gradient.t() @ rows).to(kept) if of_weight else None,
            gradient.sum(0).to(kept) if of_bias else None,
        )
