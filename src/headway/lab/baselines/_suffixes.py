"""Which labels may a word have that training never saw?  What the ends of rare words say (Brants 2000, section 2.3)."""

from bisect import bisect_left
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

LONGEST = 10
"""Letters of a suffix that are read."""
RARE = 10
"""A word that occurs at most so often speaks for words that do not occur."""


class Suffixes:
    """P(label | suffix), from short suffixes to long ones, each smoothed by the one before.

    P(t | l_{n−i+1} … l_n) = (P̂(t | l_{n−i+1} … l_n) + θ P(t | l_{n−i+2} … l_n)) / (1 + θ)          (equation 9)

    with P̂ the relative frequency among the rare words, and P(t) = P̂(t) before the first letter. θ is the standard
    deviation of P̂(t) over the labels (equation 10, whose print leaves out the root).

    The words are kept sorted by their reversed spelling: words of one suffix are neighbours, and no tree is built.
    """

    def __init__(self, words: Mapping[tuple[str, int], int], prior: NDArray[np.float64]):
        """words: how often each rare word had each label; prior: P̂ of every label."""
        entries = sorted((word[: -LONGEST - 1 : -1], label, count) for (word, label), count in words.items())
        self._spellings = [spelling for spelling, _, _ in entries]
        self._labels = np.array([label for _, label, _ in entries], np.int64)
        self._counts = np.array([count for _, _, count in entries], np.float64)
        self.prior = prior
        self._theta = float(prior.std(ddof=1)) if len(prior) > 1 else 0.0
        self._short: dict[str, NDArray[np.float64]] = {}

    def labels(self, word: str) -> NDArray[np.float64]:
        """P(label | word) for every label, by the longest suffix that a rare word has."""
        spelling = word[: -LONGEST - 1 : -1]
        chances = self.prior
        for length in range(len(spelling) + 1):
            suffix = spelling[:length]
            known = self._short.get(suffix)
            if known is None:
                first, end = bisect_left(self._spellings, suffix), bisect_left(self._spellings, suffix + "\U0010ffff")
                if first == end:
                    break
                counts = np.bincount(self._labels[first:end], self._counts[first:end], len(self.prior))
                known = (counts / counts.sum() + self._theta * chances) / (1 + self._theta)
                if length <= 2:  # these cover many words and come again and again
                    self._short[suffix] = known
            chances = known
        return chances
