"""A label for every element: its loss and its answers against formulas."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from building import memory_of, no_gradient_is_missing, shape
from comparing import close
from headway.search import Search
from headway.tasks.tag import NOTHING, Settings, Tag

V, LENGTHS = 5, [4, 7, 1]
TARGETS = [
    np.array([0, 4, NOTHING, 2], np.int32),
    np.array([1, 1, 3, 0, 4, 2, 2], np.int32),
    np.array([NOTHING], np.int32),
]


def task(**settings) -> Tag:
    return Tag(Settings(**settings), shape(), V, bio=False)


def test_targets_are_padded_with_nothing():
    table = task().collate(TARGETS)["labels"]
    assert table.tolist() == [[0, 4, -1, 2, -1, -1, -1], [1, 1, 3, 0, 4, 2, 2], [-1] * 7]


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_the_cross_entropy_of_every_element_whose_label_is_known(smoothing):
    made, memory = task(smoothing=smoothing), memory_of(LENGTHS)
    loss = made.loss(memory, made.collate(TARGETS))
    expected = torch.zeros(())
    for row, target in enumerate(TARGETS):
        for place, label in enumerate(target.tolist()):
            if label != NOTHING:
                logits = made.output.weight @ memory.x[row, place] + made.output.bias
                expected = expected + F.cross_entropy(logits, torch.tensor(label), label_smoothing=smoothing)
    close(loss.total, expected)
    assert loss.count == 3 + 7


def test_nothing_known_is_a_loss_of_zero():
    made, memory = task(), memory_of(LENGTHS)
    loss = made.loss(memory, made.collate([np.full(length, NOTHING, np.int32) for length in LENGTHS]))
    assert loss.total == 0 and loss.count == 0 and loss.mean == 0


@pytest.mark.parametrize("lengths", [LENGTHS, [5, 5]])
def test_an_answer_is_the_most_probable_label_of_every_real_element(lengths):
    made, memory = task().eval(), memory_of(lengths)
    with torch.no_grad():
        found = made.answer(memory, Search())
        for row, (labels, probabilities) in enumerate(found):
            assert len(labels) == len(probabilities) == lengths[row]
            for place in range(lengths[row]):
                p = (made.output.weight @ memory.x[row, place] + made.output.bias).softmax(-1)
                assert labels[place] == p.argmax() and probabilities[place] == pytest.approx(p.max().item(), abs=1e-5)


def test_an_ensemble_averages_probabilities_and_then_decides():
    made, memories = [task().eval() for _ in range(2)], [memory_of(LENGTHS, seed=seed) for seed in range(2)]
    with torch.no_grad():
        found = made[0].answer(memories[0], Search(), [(made[1], memories[1])])
        p = sum(t.output(m.x).softmax(-1) for t, m in zip(made, memories, strict=True)) / 2
    for row, (labels, probabilities) in enumerate(found):
        real = p[row, : LENGTHS[row]]
        assert labels.tolist() == real.argmax(-1).tolist()
        assert probabilities.tolist() == pytest.approx(real.amax(-1).tolist(), abs=1e-5)


def test_losses_of_rows_add_up_to_that_of_the_batch():
    made, memory = task(smoothing=0.1), memory_of(LENGTHS)
    whole = made.loss(memory, made.collate(TARGETS))
    parts = []
    for row, target in enumerate(TARGETS):
        alone = memory.select(torch.tensor([row]))
        padded = np.concatenate([target, np.full(7 - len(target), NOTHING, np.int32)])
        parts.append(made.loss(alone, made.collate([padded])))
    close(sum(part.total for part in parts), whole.total)
    assert sum(part.count for part in parts) == whole.count


def test_its_metrics_fit_its_labels():
    assert task().metrics == ("accuracy",)
    assert Tag(Settings(), shape(), V, bio=True).metrics == ("span_f1", "accuracy")
    assert Tag(Settings(metrics=("accuracy",)), shape(), V, bio=True).metrics == ("accuracy",)


def test_every_weight_learns():
    made, memory = task(), memory_of(LENGTHS)
    no_gradient_is_missing(made, made.loss(memory, made.collate(TARGETS)).total)
