"""Ridge regression on sparse rows, solved by conjugate gradients."""

import numpy as np
from numpy.typing import NDArray

from headway.lab.baselines._sparse import Sparse

ALPHAS = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Strengths of the penalty among which the tenth of the data that is held out chooses."""
ROUGH = 1e-3
"""How near to the solution is near enough to tell one strength from another."""


class Ridge:
    """Minimises Σ (w · x + b − y)² + α |w|², as scikit-learn's `Ridge(alpha=α)`; b is not held down."""

    def __init__(self, alpha: float | None = None, steps: int = 500, tolerance: float = 1e-5):
        """alpha: chosen on every tenth row where None is given; tolerance: of the residual, as a share of its start."""
        self.alpha, self.steps, self.tolerance = alpha, steps, tolerance

    def fit(self, x: Sparse, columns: int, targets: NDArray[np.float64]) -> None:
        """targets: one number a row."""
        if self.alpha is None:
            self.alpha = ALPHAS[len(ALPHAS) // 2] if len(targets) < 20 else self._choose(x, columns, targets)
        self._weights, self._bias = self._solve(x, columns, targets, self.alpha, self.tolerance)

    def values(self, x: Sparse) -> NDArray[np.float64]:
        """The number of every row."""
        return x @ self._weights + self._bias

    def _choose(self, x: Sparse, columns: int, targets: NDArray[np.float64]) -> float:
        held = np.arange(len(targets)) % 10 == 9
        learned, judged = x.take(np.flatnonzero(~held)), x.take(np.flatnonzero(held))
        errors = []
        for alpha in ALPHAS:
            weights, bias = self._solve(learned, columns, targets[~held], alpha, ROUGH)
            errors.append(float(((judged @ weights + bias - targets[held]) ** 2).sum()))
        return ALPHAS[int(np.argmin(errors))]

    def _solve(
        self, x: Sparse, columns: int, targets: NDArray[np.float64], alpha: float, tolerance: float
    ) -> tuple[NDArray[np.float64], float]:
        """Conjugate gradients on (X̃ᵀX̃ + α) w = X̃ᵀ(y − ȳ), where X̃ is X less its column means; then b follows.

        What X̃ᵀ is applied to sums to zero, so Xᵀ, which is sparse, gives the same.
        """
        means = x.transposed(np.ones(len(targets)), columns) / len(targets)
        w = np.zeros(columns)
        residual = x.transposed(targets - targets.mean(), columns)
        direction, size = residual.copy(), float(residual @ residual)
        enough = tolerance**2 * size
        for _ in range(self.steps):
            if size <= enough:
                break
            moved = x.transposed(x @ direction - means @ direction, columns) + alpha * direction
            length = size / float(direction @ moved)
            w += length * direction
            residual -= length * moved
            size, before = float(residual @ residual), size
            direction = residual + size / before * direction
        return w, float(targets.mean() - means @ w)
