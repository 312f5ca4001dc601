"""Minimising a smooth function: limited-memory BFGS (Nocedal & Wright 2006, algorithms 7.4 and 7.5)."""

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Function = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]
"""From a point to the value and the gradient there."""

MEMORY = 10
"""Steps that are remembered."""
DECREASE = 1e-4
"""Share of the promised decrease that a step must bring (Armijo)."""


def minimise(function: Function, start: NDArray[np.float64], steps: int, tolerance: float) -> NDArray[np.float64]:
    """The point where no component of the gradient exceeds `tolerance`, or the one that `steps` steps reach."""
    x = start
    value, gradient = function(x)
    pairs: deque[tuple[NDArray[np.float64], NDArray[np.float64]]] = deque(maxlen=MEMORY)
    for _ in range(steps):
        if np.abs(gradient).max(initial=0.0) <= tolerance:
            break
        direction = -_inverse_hessian(pairs, gradient)
        length = 1.0 if pairs else min(1.0, 1.0 / np.abs(gradient).sum())
        slope = float(gradient @ direction)
        for _ in range(30):
            moved = x + length * direction
            new_value, new_gradient = function(moved)
            if new_value <= value + DECREASE * length * slope:
                break
            length /= 2
        else:
            break  # as good as the machine's numbers allow
        step, change = moved - x, new_gradient - gradient
        if step @ change > 1e-10 * (change @ change):  # keeps the estimate positive definite
            pairs.append((step, change))
        x, value, gradient = moved, new_value, new_gradient
    return x


def _inverse_hessian(
    pairs: deque[tuple[NDArray[np.float64], NDArray[np.float64]]], gradient: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The gradient times the estimate of the inverse Hessian, by two loops over the remembered steps."""
    q, shares = gradient.copy(), []
    for step, change in reversed(pairs):
        share = (step @ q) / (change @ step)
        shares.append(share)
        q -= share * change
    if pairs:
        step, change = pairs[-1]
        q *= (step @ change) / (change @ change)
    for (step, change), share in zip(pairs, reversed(shares)):
        q += (share - (change @ q) / (change @ step)) * step
    return q
