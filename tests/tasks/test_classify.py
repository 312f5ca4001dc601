"""A label for the whole: its loss and its answers against formulas."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from building import D, memory_of, no_gradient_is_missing, shape
from comparing import close
from headway.batch import Memory
from headway.search import Search
from headway.tasks.classify import Classify, Settings

COUNTS = (10, 4, 2)
LENGTHS = [4, 7, 5, 1]


def task(several: bool = False, dropout: float = 0.0, counts=COUNTS, **settings) -> Classify:
    return Classify(Settings(**settings), shape(dropout=dropout), counts, sum(COUNTS), several)


def labels(*rows: list[int]) -> list[np.ndarray]:
    return [np.array(row, np.int32) for row in rows]


ONE_EACH = labels([0], [2], [1], [2])
MANY = labels([0, 2], [], [1], [0, 1, 2])


def logits_of(made: Classify, memory: Memory) -> torch.Tensor:
    return made.readout(memory) @ made.output.weight.T + made.output.bias


def test_targets_are_numbers_or_a_table_of_yes_and_no():
    assert task().collate(ONE_EACH)["labels"].tolist() == [0, 2, 1, 2]
    table = task(several=True).collate(MANY)["labels"]
    assert table.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]] and table.dtype == torch.float32


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("pooling", ["mean", "max", "attention", "first"])
def test_the_loss_is_the_cross_entropy_of_what_is_read_out(pooling, smoothing):
    made, memory = task(pooling=pooling, smoothing=smoothing), memory_of(LENGTHS)
    loss = made.loss(memory, made.collate(ONE_EACH))
    right = torch.tensor([0, 2, 1, 2])
    expected = F.cross_entropy(logits_of(made, memory), right, reduction="sum", label_smoothing=smoothing)
    close(loss.total, expected)
    assert loss.count == 4
    close(loss.mean, expected / 4)


def test_balanced_weights_let_every_label_count_the_same():
    made, memory = task(class_weights="balanced"), memory_of(LENGTHS)
    assert made.weights.tolist() == pytest.approx([16 / 30, 16 / 12, 16 / 6])  # rows / (labels × how often)
    assert sum(c * w for c, w in zip(COUNTS, made.weights.tolist(), strict=True)) == pytest.approx(16)
    loss = made.loss(memory, made.collate(ONE_EACH))
    right, weights = torch.tensor([0, 2, 1, 2]), made.weights
    close(loss.total, F.cross_entropy(logits_of(made, memory), right, weights, reduction="sum"))
    assert loss.count == pytest.approx((16 / 30) + (16 / 6) + (16 / 12) + (16 / 6))


def test_several_labels_are_each_their_own_yes_or_no():
    made, memory = task(several=True), memory_of(LENGTHS)
    loss = made.loss(memory, made.collate(MANY))
    table = torch.tensor([[1.0, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]])
    logits = logits_of(made, memory)
    close(loss.total, F.binary_cross_entropy_with_logits(logits, table, reduction="sum") / 3)
    assert loss.count == 4


def test_balanced_weights_of_several_labels_are_how_much_rarer_yes_is_than_no():
    made = task(several=True, class_weights="balanced")
    assert made.weights.tolist() == pytest.approx([6 / 10, 12 / 4, 14 / 2])
    memory, table = memory_of(LENGTHS), torch.tensor([[1.0, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]])
    p = logits_of(made, memory).sigmoid()
    expected = -(made.weights * table * p.log() + (1 - table) * (1 - p).log()).sum() / 3
    close(made.loss(memory, made.collate(MANY)).total, expected)


@pytest.mark.parametrize("several", [False, True])
def test_a_label_that_always_or_never_occurs_has_a_finite_weight(several):
    made = task(several, counts=(16, 0, 3), class_weights="balanced")
    assert made.weights.isfinite().all() and made.weights.gt(0).all()


@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_a_label_that_training_never_saw_is_not_counted(weights):
    made, memory = task(class_weights=weights), memory_of(LENGTHS)
    loss = made.loss(memory, made.collate(labels([0], [-1], [1], [-1])))
    rows = torch.tensor([0, 2])
    expected = made.loss(memory.select(rows), made.collate(labels([0], [1])))
    close(loss.total, expected.total)
    assert loss.count == pytest.approx(expected.count)


def test_one_of_several_labels_that_training_never_saw_is_no_other_label():
    made = task(several=True)
    assert made.collate(labels([-1], [1, -1]))["labels"].tolist() == [[0, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("several", [False, True])
def test_an_answer_is_the_probability_of_every_label(several):
    made, memory = task(several).eval(), memory_of(LENGTHS)
    with torch.no_grad():
        logits = logits_of(made, memory).tolist()
        found = made.answer(memory, Search())
    for row, given in zip(logits, found, strict=True):
        exps = [math.exp(x) for x in row]
        expected = [e / (1 + e) if several else e / sum(exps) for e in exps]
        assert given.tolist() == pytest.approx(expected, abs=1e-5)
        assert several or sum(given) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("several", [False, True])
def test_an_ensemble_averages_probabilities(several):
    made = [task(several).eval() for _ in range(3)]
    memories = [memory_of(LENGTHS, seed=seed) for seed in range(3)]
    with torch.no_grad():
        alone = [np.stack(t.answer(m, Search())) for t, m in zip(made, memories, strict=True)]
        together = made[0].answer(memories[0], Search(), list(zip(made, memories, strict=True))[1:])
    np.testing.assert_allclose(np.stack(together), np.mean(alone, 0), atol=1e-6)


def test_losses_of_rows_add_up_to_that_of_the_batch():
    made, memory = task(class_weights="balanced"), memory_of(LENGTHS)
    whole = made.loss(memory, made.collate(ONE_EACH))
    parts = [
        made.loss(memory.select(torch.tensor([row])), made.collate([target])) for row, target in enumerate(ONE_EACH)
    ]
    close(sum(part.total for part in parts), whole.total)
    assert sum(part.count for part in parts) == pytest.approx(whole.count)


def test_the_pooled_vector_is_dropped_at_its_own_rate_or_the_encoders_in_training_only():
    assert task(dropout=0.4).rate == 0.4 and task(dropout=0.4).rate == 0.4
    made, memory = Classify(Settings(dropout=0.5), shape(dropout=0.1), COUNTS, 16, False), memory_of(LENGTHS)
    assert made.rate == 0.5
    target = made.collate(ONE_EACH)
    assert not made.loss(memory, target).total.equal(made.loss(memory, target).total)
    made.eval()
    assert made.loss(memory, target).total.equal(made.loss(memory, target).total)


def test_its_metrics_fit_what_a_row_may_have():
    assert task().metrics == ("accuracy", "macro_f1")
    assert task(several=True).metrics == ("micro_f1", "accuracy")
    assert task(metrics="bleu,chrf").metrics == ("bleu", "chrf")


@pytest.mark.parametrize("several", [False, True])
def test_every_weight_learns_and_class_weights_are_not_saved(several):
    made, memory = task(several, pooling="attention", class_weights="balanced"), memory_of(LENGTHS)
    no_gradient_is_missing(made, made.loss(memory, made.collate(MANY if several else ONE_EACH)).total)
    assert "weights" not in made.state_dict()
    assert made.output.weight.shape == (3, D)
