"""A trigram hidden Markov model of labels: TnT (Brants 2000, "TnT: a statistical part-of-speech tagger")."""

from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from headway.lab.baselines._suffixes import RARE, Suffixes

BEAM = log(1000.0)
"""A path this much less probable than the best one is given up (section 2.5)."""

CANDIDATES = 50
"""States that an unknown word may have; with a thousand labels (readings of characters) all would take minutes."""


class Transitions:
    """P(t3 | t1, t2) = λ1 P̂(t3) + λ2 P̂(t3 | t2) + λ3 P̂(t3 | t1, t2)  (equation 6), P̂ being relative frequencies."""

    def __init__(self, rows: Sequence[NDArray[np.int64]], states: int):
        """rows: the states of each sentence, BEGIN twice before and END behind."""
        self.states = states
        first, second, third = _windows(rows)
        pairs, triples = second * states + third, (first * states + second) * states + third
        contexts = first * states + second
        codes, f123 = np.unique(triples, return_counts=True)
        f12 = _counted(contexts, codes // states)
        f23, f2 = _counted(pairs, codes % states**2), _counted(second, codes // states % states)
        f3 = _counted(third, codes % states)
        self.weights = _deleted_interpolation(f123, f12, f23, f2, f3, len(third))
        self.alone: list[float] = (self.weights[0] * np.bincount(third, minlength=states) / len(third)).tolist()
        self.after_one = dict(zip((codes % states**2).tolist(), (self.weights[1] * f23 / f2).tolist()))
        self.after_two = dict(zip(codes.tolist(), (self.weights[2] * f123 / f12).tolist()))
        self._logs: dict[int, float] = {}

    def log(self, context: int, third: int) -> float:
        """log P(third | context), context being the code t1 · states + t2."""
        code = context * self.states + third
        known = self._logs.get(code)
        if known is None:
            pair = code % self.states**2
            chance = self.alone[third] + self.after_one.get(pair, 0.0) + self.after_two.get(code, 0.0)
            known = self._logs[code] = log(max(chance, 1e-300))
        return known


def _windows(rows: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Every (t1, t2, t3) of neighbours inside one row."""
    flat = np.concatenate(rows)
    within = np.ones(len(flat), bool)
    starts = np.cumsum([0, *map(len, rows)])[:-1]
    within[starts] = within[starts + 1] = False
    third = np.flatnonzero(within)
    return flat[third - 2], flat[third - 1], flat[third]


def _counted(values: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each of `asked` occurs in `values`, which holds them all."""
    codes, counts = np.unique(values, return_counts=True)
    return counts[np.searchsorted(codes, asked)]


def _deleted_interpolation(
    f123: NDArray, f12: NDArray, f23: NDArray, f2: NDArray, f3: NDArray, size: int
) -> NDArray[np.float64]:
    """λ1, λ2, λ3: each trigram votes, as often as it occurs, for the order that foretells it best without it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        votes = np.stack([(f3 - 1) / (size - 1), (f23 - 1) / (f2 - 1), (f123 - 1) / (f12 - 1)])
    best = np.nan_to_num(votes, nan=0.0).argmax(0)
    weights = np.bincount(best, f123, 3)
    return weights / weights.sum()


class Hmm:
    """Words to labels by the most probable path.

    A state is a label together with whether its word begins with a capital (section 2.4): twice as many as labels.
    """

    def __init__(self, rows: Sequence[tuple[Sequence[str], Sequence[str]]]):
        """rows: words and labels of each sentence, of equal length."""
        self.labels = sorted({label for _, labels in rows for label in labels})
        number = {label: 2 * place for place, label in enumerate(self.labels)}
        self.begin, self.end = 2 * len(self.labels), 2 * len(self.labels) + 1
        pairs: Counter[tuple[str, int]] = Counter()
        paths = []
        for words, labels in rows:
            states = [number[label] + _capital(word) for word, label in zip(words, labels)]
            pairs.update(zip(words, states))
            paths.append(np.array([self.begin, self.begin, *states, self.end], np.int64))
        self.transitions = Transitions(paths, len(number) * 2 + 2)
        self._learn_words(pairs)

    def _learn_words(self, pairs: Counter[tuple[str, int]]) -> None:
        often = np.zeros(self.begin)
        words: Counter[str] = Counter()
        for (word, state), count in pairs.items():
            often[state] += count
            words[word] += count
        self._emissions: dict[str, list[tuple[int, float]]] = {}
        rare: tuple[dict[tuple[str, int], int], ...] = ({}, {})
        for (word, state), count in pairs.items():
            self._emissions.setdefault(word, []).append((state, log(count / often[state])))
            if words[word] <= RARE:
                rare[state % 2][word, state // 2] = count
        priors = [often[capital::2] / max(often[capital::2].sum(), 1) for capital in (0, 1)]
        self._suffixes = [Suffixes(seen, prior) for seen, prior in zip(rare, priors)]

    def emissions(self, word: str) -> list[tuple[int, float]]:
        """The states that a word may have, with log P(word | state) up to a constant of the word."""
        known = self._emissions.get(word)
        if known is None:
            capital = _capital(word)
            if not self._suffixes[capital].prior.any():  # training has no such words: the others must speak for it
                capital = 1 - capital
            suffixes = self._suffixes[capital]
            chances = suffixes.labels(word)
            likely = np.sort(np.argsort(-chances, kind="stable")[:CANDIDATES])
            possible = likely[chances[likely] > chances.max() / 1000]
            scores = np.log(chances[possible] / suffixes.prior[possible])
            known = self._emissions[word] = list(zip((2 * possible + capital).tolist(), scores.tolist()))
        return known

    def tag(self, words: Sequence[str]) -> list[str]:
        """The labels of one sentence (Viterbi, with a beam)."""
        states, transition = self.transitions.states, self.transitions.log
        beam = {self.begin * states + self.begin: 0.0}
        came: list[dict[int, int]] = []
        for word in [*words, None]:
            candidates = [(self.end, 0.0)] if word is None else self.emissions(word)
            best: dict[int, float] = {}
            origin: dict[int, int] = {}
            for context, score in beam.items():
                shifted = context % states * states
                for state, emission in candidates:
                    total = score + transition(context, state) + emission
                    code = shifted + state
                    if code not in best or total > best[code]:
                        best[code], origin[code] = total, context
            least = max(best.values()) - BEAM
            beam = {code: score for code, score in best.items() if score >= least}
            came.append(origin)
        code = max(beam, key=beam.__getitem__)
        path = []
        for origin in reversed(came):
            code = origin[code]
            path.append(code % states)
        return [self.labels[state // 2] for state in reversed(path[:-1])]


def _capital(word: str) -> int:
    return int(word[:1].isupper())
