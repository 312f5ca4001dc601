"""The taggers that stand beside the model: the most frequent label, and TnT by the formulas of its paper."""

import random
from collections import Counter
from itertools import product
from math import log

import numpy as np
import pytest

from headway.batch import Example, TagAnswer
from headway.lab.baselines import Baseline, _hmm, baselines_for
from headway.lab.baselines._hmm import Hmm
from headway.lab.baselines._suffixes import Suffixes


def labels_of(baseline: Baseline, *words: str) -> tuple[str, ...]:
    return baseline.predict([Example(words)])[0].labels


def test_majority_by_hand():
    majority = baselines_for("tag")[0]
    majority.fit(
        [
            Example(("run", "run", "run", "sea"), ("V", "N", "V", "N")),
            Example(("lake", "blue", "sea"), ("N", "A", None)),
            *[Example((verb, verb), ("V", "V")) for verb in ("go", "come", "eat", "see", "ask")],
        ]
    )
    # run: V twice, N once. sea (N), lake (N) and blue (A) occur once with a label: an unknown word is N.
    assert labels_of(majority, "run", "sea", "blue", "ocean") == ("V", "N", "A", "N")


def test_a_text_is_parted_as_its_labels_are():
    words, characters = baselines_for("tag")[0], baselines_for("tag")[0]
    words.fit([Example("a b", ("X", "Y"))])
    characters.fit([Example("行人", ("háng", "rén"))])
    assert words.predict([Example("b a")])[0] == TagAnswer(("b", "a"), ("Y", "X"))
    assert characters.predict([Example("人行")])[0] == TagAnswer(("人", "行"), ("rén", "háng"))


def sentences(rows: int, seed: int) -> list[tuple[list[str], list[str]]]:
    """Words whose label follows from the word and from the label before."""
    dice = random.Random(seed)
    made = []
    for _ in range(rows):
        labels = [dice.choice("DN")]
        while len(labels) < dice.randint(2, 5):
            labels.append(dice.choice({"D": "NNA", "N": "VVD", "A": "NA", "V": "DA"}[labels[-1]]))
        made.append(([dice.choice(["x", "y", "z", label.lower(), f"W{label}ed"]) for label in labels], labels))
    return made


class Naive:
    """Brants' formulas, word by word from the counts."""

    def __init__(self, rows):
        self.one, self.two, self.three = Counter(), Counter(), Counter()
        self.context1, self.context2 = Counter(), Counter()
        self.words: Counter = Counter()
        for words, labels in rows:
            states = [("B", 0), ("B", 0), *((t, w[0].isupper()) for w, t in zip(words, labels)), ("E", 0)]
            self.words.update(zip(words, states[2:]))
            for a, b, c in zip(states, states[1:], states[2:]):
                self.one[c] += 1
                self.two[b, c] += 1
                self.three[a, b, c] += 1
                self.context1[b] += 1
                self.context2[a, b] += 1
        self.size = sum(self.one.values())
        self.weights = [0.0, 0.0, 0.0]
        for (a, b, c), often in self.three.items():
            pairs = [
                (self.one[c] - 1, self.size - 1),
                (self.two[b, c] - 1, self.context1[b] - 1),
                (often - 1, self.context2[a, b] - 1),
            ]
            foretold = [above / below if below else 0.0 for above, below in pairs]
            self.weights[foretold.index(max(foretold))] += often / self.size

    def transition(self, a, b, c) -> float:
        chances = (
            self.one[c] / self.size,
            self.two[b, c] / self.context1[b] if self.context1[b] else 0.0,
            self.three[a, b, c] / self.context2[a, b] if self.context2[a, b] else 0.0,
        )
        return sum(weight * chance for weight, chance in zip(self.weights, chances))

    def score(self, words, labels) -> float:
        """log P(words, labels); words must be known."""
        states = [("B", 0), ("B", 0), *((t, w[0].isupper()) for w, t in zip(words, labels)), ("E", 0)]
        total = 0.0
        for place, (a, b, c) in enumerate(zip(states, states[1:], states[2:])):
            emission = 1.0 if place == len(words) else self.words[words[place], c] / self.one[c] if self.one[c] else 0.0
            chance = self.transition(a, b, c) * emission
            total += log(chance) if chance else -1e9
        return total


def test_weights_of_deleted_interpolation():
    rows = sentences(53, seed=1)
    model, naive = Hmm(rows), Naive(rows)
    assert model.transitions.weights == pytest.approx(naive.weights)
    assert sum(naive.weights) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_the_path_is_the_best_of_all_paths(seed: int, monkeypatch):
    monkeypatch.setattr(_hmm, "BEAM", float("inf"))
    rows = sentences(41, seed)
    model, naive = Hmm(rows), Naive(rows)
    for words, _ in sentences(13, seed + 100):
        if all(word in {w for w, _ in naive.words} for word in words):
            best = max(naive.score(words, labels) for labels in product("ADNV", repeat=len(words)))
            assert naive.score(words, model.tag(words)) == pytest.approx(best)


def test_suffixes_by_the_recursion():
    words = {("king", 0): 2, ("sing", 1): 3, ("song", 0): 1, ("ran", 1): 4}
    prior = np.array([0.7, 0.2, 0.1])
    theta = np.std(prior, ddof=1)
    expected = prior
    for suffix in ("", "g", "ng", "ing"):
        count = np.zeros(3)
        for (word, label), often in words.items():
            count[label] += often * word.endswith(suffix)
        expected = (count / count.sum() + theta * expected) / (1 + theta)
    suffixes = Suffixes(words, prior)
    np.testing.assert_allclose(suffixes.labels("wing"), expected)
    np.testing.assert_allclose(suffixes.labels("wing"), expected)  # from what is kept of short suffixes
    assert suffixes.labels("wing").sum() == pytest.approx(1)


def test_unknown_words_are_told_by_their_ends_and_their_capital():
    ngram = baselines_for("tag")[1]
    stems = ["walk", "talk", "jump", "play", "work", "call", "turn", "pull"]
    names = ["Anton", "Simon", "Milton", "Byron", "Damon", "Clinton", "Nelson", "Wilson"]
    ngram.fit([Example((name, f"{stem}ed", "."), ("N", "V", ".")) for stem, name in zip(stems, names)])
    assert labels_of(ngram, "Jackson", "looked", ".") == ("N", "V", ".")


def test_a_capital_where_training_has_none():
    ngram = baselines_for("tag")[1]
    ngram.fit([Example(("the", "dog", "barked"), ("D", "N", "V"))] * 3 + [Example(("the", "cat"), ("D", "N"))])
    assert labels_of(ngram, "the", "Dog", "Barked") == ("D", "N", "V")


def test_the_labels_before_decide():
    ngram = baselines_for("tag")[1]
    known = [Example(("to", "can"), ("TO", "V")), Example(("a", "can"), ("D", "N"))]
    ngram.fit(known * 5 + [Example(("can", "a", "can"), (None, "D", "N"))])
    assert labels_of(ngram, "to", "can") == ("TO", "V")
    assert labels_of(ngram, "a", "can") == ("D", "N")
