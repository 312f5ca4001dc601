"""The paired bootstrap: every resample by brute force, its spread by the normal law, its coverage by simulation."""

import math
import random
from itertools import product

import numpy as np
import pytest

from headway.batch import ClassifyAnswer, Example, RegressAnswer, TagAnswer, TransduceAnswer
from headway.lab.compare import bootstrap
from headway.lab.compare.bootstrap import draws, holm, interval, p_value, resampled, resampled_sums
from headway.metrics import METRICS

LABELS = ("O", "B-PER", "I-PER", "B-LOC")


def pairs(kind: str, count: int = 40):
    """Examples and answers, some of them wrong; of sequences some have two references."""
    chance = random.Random(kind)
    examples, answers = [], []
    for _ in range(count):
        words = tuple(chance.choice(("the", "cat", "sat", "on", "mats")) for _ in range(chance.randint(4, 9)))
        text = " ".join(words)
        if kind == "tag":
            right = tuple(chance.choice(LABELS) for _ in words)
            examples.append(Example(words, right))
            given = tuple(label if chance.random() < 0.8 else chance.choice(LABELS) for label in right)
            answers.append(TagAnswer(words, given[: len(given) - (chance.random() < 0.1)]))
        elif kind == "several":
            sets = [tuple(sorted({chance.choice("abcd") for _ in range(chance.randint(0, 3))})) for _ in range(2)]
            examples.append(Example(text, sets[0]))
            answers.append(ClassifyAnswer(sets[chance.random() < 0.4], 0.5))
        elif kind == "classify":
            examples.append(Example(text, chance.choice("abc")))
            answers.append(ClassifyAnswer((chance.choice("abcd"),), 0.5))
        elif kind == "regress":
            examples.append(Example(text, chance.gauss(100, 1)))
            answers.append(RegressAnswer(examples[-1].target + chance.gauss(0, 0.5)))
        else:
            written = " ".join(word if chance.random() < 0.8 else "dog" for word in words)
            examples.append(Example(text[::-1], text, others=(f"{text} again",) * (chance.random() < 0.3)))
            answers.append(TransduceAnswer(written))
    return examples, answers


KINDS = {
    "tag": ("accuracy", "macro_f1", "span_f1"),
    "classify": ("accuracy", "macro_f1", "micro_f1"),
    "several": ("accuracy", "micro_f1", "macro_f1"),
    "regress": ("mae", "rmse", "r2"),
    "transduce": (
        "bleu",
        "chrf",
        "exact_match",
        "sequence_error_rate",
        "word_error_rate",
        "phone_error_rate",
        "character_error_rate",
    ),
}


@pytest.mark.parametrize("kind, name", [(kind, name) for kind, names in KINDS.items() for name in names])
def test_every_metric_on_a_resample_is_the_metric_of_the_drawn_answers(kind, name):
    examples, answers = pairs(kind)
    values, by = resampled(name, answers, examples)
    assert by == "sums" and len(values) == bootstrap.RESAMPLES
    rows = next(draws(len(answers), 8))
    for row, value in zip(rows.tolist(), values):
        metric = METRICS.part(name)()
        metric.add([answers[i] for i in row], [examples[i] for i in row])
        assert value == pytest.approx(metric.value(), rel=1e-9, abs=1e-12)


def test_every_metric_of_the_house_is_known():
    assert {name for names in KINDS.values() for name in names} == set(METRICS.names())


def test_a_metric_without_sums_is_computed_anew_from_the_answers(monkeypatch):
    examples, answers = pairs("classify")
    by_sums, _ = resampled("accuracy", answers, examples)
    monkeypatch.setattr(bootstrap, "sums_of", lambda *_: None)
    values, by = resampled("accuracy", answers, examples)
    assert by == "answers" and values == pytest.approx(by_sums[: bootstrap.FEW])


def test_sums_that_do_not_give_the_metric_are_not_trusted(monkeypatch):
    from headway.lab.compare import statistics

    examples, answers = pairs("classify")
    monkeypatch.setitem(statistics._SUMS, "accuracy", statistics._SUMS["macro_f1"])
    assert statistics.sums_of("accuracy", answers, examples) is None


def test_draws_are_those_of_their_number_alone_however_many_are_held(monkeypatch):
    whole = np.concatenate(list(draws(7, 50)))
    assert whole.shape == (50, 7) and whole.min() == 0 and whole.max() == 6
    monkeypatch.setattr(bootstrap, "AT_ONCE", 21)
    assert (np.concatenate(list(draws(7, 50))) == whole).all()
    assert (np.concatenate(list(draws(7, 20))) == whole[:20]).all()


def test_the_resamples_of_three_items_are_those_of_brute_force():
    amounts = np.array([[0.0, 1.0], [1.0, 1.0], [5.0, 1.0]])
    values = resampled_sums(amounts, lambda sums: sums[:, 0] / sums[:, 1], 20_000)
    means = [sum(amounts[i, 0] for i in row) / 3 for row in product(range(3), repeat=3)]
    for mean in set(means):
        share = np.isclose(values, mean).mean()
        assert share == pytest.approx(means.count(mean) / 27, abs=0.012)  # 4 standard errors


def test_a_paired_difference_of_right_and_wrong_has_the_spread_of_the_normal_law():
    """b items only the first has right, c only the second: variance (b + c − (b − c)² / n) / n² (McNemar 1947)."""
    n, b, c = 400, 30, 60
    first, second = np.array([1] * b + [0] * (n - b)), np.array([0] * b + [1] * c + [0] * (n - b - c))
    mean = lambda right: resampled_sums(np.stack([right, np.ones(n)], 1).astype(float), lambda s: s[:, 0] / s[:, 1])  # noqa: E731
    differences = mean(second) - mean(first)
    deviation = math.sqrt(b + c - (b - c) ** 2 / n) / n
    assert differences.mean() == pytest.approx((c - b) / n, abs=4 * deviation / math.sqrt(len(differences)))
    assert differences.std() == pytest.approx(deviation, rel=0.07)
    low, high = interval(differences)
    assert low == pytest.approx((c - b) / n - 1.96 * deviation, abs=0.15 * deviation)
    assert high == pytest.approx((c - b) / n + 1.96 * deviation, abs=0.15 * deviation)
    z = (c - b) / n / deviation
    assert p_value(differences) == pytest.approx(math.erfc(z / math.sqrt(2)), abs=0.003)


def test_what_two_arms_share_drops_out_of_their_difference():
    hard = np.random.Generator(np.random.PCG64(0)).random(300)
    mean = lambda right: resampled_sums(right[:, None], lambda sums: sums[:, 0] / 300)  # noqa: E731
    differences = mean(hard + 0.01) - mean(hard)
    assert differences == pytest.approx(np.full(len(differences), 0.01)) and mean(hard).std() > 0.01


def test_p_is_twice_the_smaller_side_and_never_zero():
    assert p_value(np.array([1.0, 2.0, 3.0])) == 2 * 1 / 4
    assert p_value(np.array([-1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])) == 2 * 2 / 8
    assert p_value(np.zeros(9)) == 1.0


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == []


@pytest.mark.long
def test_an_interval_of_95_percent_holds_the_truth_95_times_in_100():
    """400 test sets of 150 items from a world where the second arm is right 6 points more often."""
    chance, held, false = np.random.Generator(np.random.PCG64(1)), 0, 0
    counts = np.stack([np.bincount(row, minlength=150) for row in next(draws(150, 1000))]) / 150
    for _ in range(400):
        hard = chance.random(150)
        first, second = chance.random(150) < 0.8 - 0.3 * hard, chance.random(150) < 0.86 - 0.3 * hard
        low, high = interval(counts @ (second.astype(float) - first))
        held += low <= 0.06 <= high
        same = chance.random(150) < 0.8 - 0.3 * hard
        false += p_value(counts @ (same.astype(float) - first)) < 0.05
    assert 0.92 <= held / 400 <= 0.98 and 0.02 <= false / 400 <= 0.08, (held, false)
