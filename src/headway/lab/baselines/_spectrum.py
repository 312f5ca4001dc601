"""A sound as one picture of fixed size: the loudness of a few bands in a few stretches of it."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from headway.batch import Example
from headway.data.sources.sound import Sound
from headway.functional.sound import log_mel, mel_filters, points_for, resampled
from headway.lab.baselines._lbfgs import minimise

RATE, BANDS, STRETCHES = 16_000, 48, 16
HUNDREDTHS_PER_SECOND = 3_000
"""Of sound that is read in a second of a budget."""


def refuses_other_than_sound(examples: Sequence[Example]) -> str | None:
    """The reason of a baseline that reads sound only, by the first example."""
    return None if examples and isinstance(examples[0].source, Sound) else "it reads sound only"


class Pictures:
    """(rows, STRETCHES × BANDS) numbers of mean 0 and spread 1 in the training part."""

    def fit(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """The pictures of the training part."""
        found = _pictures(examples)
        self._mean, self._spread = found.mean(0), np.maximum(found.std(0), 1e-6)
        return (found - self._mean) / self._spread

    def __call__(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        return (_pictures(examples) - self._mean) / self._spread


def _pictures(examples: Sequence[Example]) -> NDArray[np.float64]:
    window, hop = RATE * 25 // 1000, RATE // 100
    filters = mel_filters(RATE, points_for(window), BANDS)
    rows = np.zeros((len(examples), STRETCHES * BANDS))
    for row, example in zip(rows, examples):
        source: Sound = example.source
        samples = resampled(torch.from_numpy(source.read()), source.rate, RATE)
        frames = log_mel(samples, filters, window, hop).numpy()
        at = np.linspace(0, len(frames) - 1, STRETCHES)
        below = at.astype(int)
        above, share = np.minimum(below + 1, len(frames) - 1), (at - below)[:, None]
        row[:] = ((1 - share) * frames[below] + share * frames[above]).ravel()
    return rows


class Softmax:
    """Logistic regression on full rows: minimises Σ −log p + |w|² / (2 C), b not held down."""

    def __init__(self, C: float = 0.1, steps: int = 200, tolerance: float = 1e-4):
        """C = 0.1 did best, or nearly so, among 0.001 … 1 on held-out syllables; the columns are many and alike."""
        self.C, self.steps, self.tolerance = C, steps, tolerance

    def fit(self, x: NDArray[np.float64], targets: NDArray[np.float64]) -> None:
        """x (N, D); targets (N, K) with a single 1 in each row."""
        (N, D), K = x.shape, targets.shape[1]

        def objective(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            weights, bias = flat[: D * K].reshape(D, K), flat[D * K :]
            log_p = self._log_chances(x @ weights + bias)
            residual = np.exp(log_p) - targets
            gradient = np.concatenate([(x.T @ residual + weights / self.C).ravel(), residual.sum(0)])
            return float((weights**2).sum() / (2 * self.C) - (targets * log_p).sum()) / N, gradient / N

        flat = minimise(objective, np.zeros(D * K + K), self.steps, self.tolerance)
        self._weights, self._bias = flat[: D * K].reshape(D, K), flat[D * K :]

    def chances(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, K) the probability of every label."""
        return np.exp(self._log_chances(x @ self._weights + self._bias))

    @staticmethod
    def _log_chances(logits: NDArray[np.float64]) -> NDArray[np.float64]:
        shifted = logits - logits.max(1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
