"""How tests compare: in value and in gradient, as near as the precision allows."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

NEAR = {torch.float32: 1e-5, torch.float64: 1e-10}
"""The largest difference, absolute and relative, by precision."""
DTYPES = [torch.float32, torch.float64]


def close(found: Tensor, expected: Tensor, near: float | None = None) -> None:
    """The same shape and type, and numbers that differ by rounding only; NaN is never the same."""
    near = NEAR[found.dtype] if near is None else near
    torch.testing.assert_close(found, expected, rtol=near, atol=near)


def gradients(output: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Of a sum of the output with fixed uneven weights, so that a swapped row or column shows; zeros where unused."""
    uneven = torch.randn(output.shape, generator=torch.Generator().manual_seed(11), dtype=torch.float64)
    found = torch.autograd.grad(output, list(inputs), uneven.to(output.dtype), allow_unused=True, retain_graph=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True)]


def same(
    f: Callable[..., Tensor], g: Callable[..., Tensor], inputs: Sequence[Tensor], near: float | None = None
) -> Tensor:
    """Both functions of the inputs are equal in value and in every gradient; returns the value."""
    inputs = [x.detach().requires_grad_() for x in inputs]
    found, expected = f(*inputs), g(*inputs)
    close(found, expected, near)
    for one, other in zip(gradients(found, inputs), gradients(expected, inputs), strict=True):
        close(one, other, near)
    return found


def randoms(*shapes: tuple[int, ...], dtype: torch.dtype = torch.float32, seed: int = 5) -> list[Tensor]:
    """Normal random tensors of these shapes."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) for shape in shapes]


def matrices(count: int, *shape: int, dtype: torch.dtype = torch.float32, seed: int = 9) -> list[Tensor]:
    """Random matrices that keep the size of what they are multiplied with."""
    return [W / shape[-1] ** 0.5 for W in randoms(*[shape] * count, dtype=dtype, seed=seed)]
