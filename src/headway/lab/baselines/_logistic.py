"""Logistic regression on sparse rows, trained to its optimum."""

import numpy as np
from numpy.typing import NDArray

from headway.lab.baselines._lbfgs import minimise
from headway.lab.baselines._sparse import Sparse


class Logistic:
    """Probabilities of labels: σ(w · x + b) for each by itself, or softmax over them where one excludes the others.

    Minimises Σ −log p + |w|² / (2 C) as scikit-learn's `LogisticRegression(C=C)`; b is not held down.
    """

    def __init__(self, exclusive: bool, C: float = 4.0, steps: int = 100, tolerance: float = 1e-4):
        """exclusive: whether the columns of the targets are chosen against one another.

        C = 4 did best, or nearly so, among 1, 4 and 16 on film reviews, snippets and Chinese reviews.
        """
        self.exclusive, self.C, self.steps, self.tolerance = exclusive, C, steps, tolerance

    def fit(self, x: Sparse, columns: int, targets: NDArray[np.float64]) -> None:
        """targets: (rows, labels) of 0 and 1; one that excludes others has a single 1 in each row."""
        N, K = targets.shape

        def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weights = flat.reshape(K, columns + 1)
            logits = self._logits(x, weights)
            loss, chances = self._loss(logits, targets)
            residual = chances - targets
            gradient = np.empty_like(weights)
            for label in range(K):
                gradient[label, :-1] = x.transposed(residual[:, label], columns) + weights[label, :-1] / self.C
            gradient[:, -1] = residual.sum(0)
            penalty = (weights[:, :-1] ** 2).sum() / (2 * self.C)
            return float(loss + penalty) / N, gradient.ravel() / N

        flat = minimise(objective, np.zeros(K * (columns + 1)), self.steps, self.tolerance)
        self._weights = flat.reshape(K, columns + 1)

    def chances(self, x: Sparse) -> NDArray[np.float64]:
        """(rows, labels) the probability of every label."""
        logits = self._logits(x, self._weights)
        return self._loss(logits, np.zeros_like(logits))[1]

    def _logits(self, x: Sparse, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([x @ row[:-1] + row[-1] for row in weights], 1)

    def _loss(self, logits: NDArray[np.float64], targets: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """(Σ −log p of the targets, p)"""
        if self.exclusive:
            shifted = logits - logits.max(1, keepdims=True)
            log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
            return float(-(targets * log_p).sum()), np.exp(log_p)
        softplus = np.logaddexp(0.0, logits)
        return float((softplus - targets * logits).sum()), np.exp(logits - softplus)
