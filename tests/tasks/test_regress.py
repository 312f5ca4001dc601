"""A number for the whole: learned in units of the spread, answered in the unit of the data."""

import numpy as np
import pytest
import torch

from building import memory_of, no_gradient_is_missing, shape
from comparing import close
from headway.search import Search
from headway.tasks.regress import Regress, Settings

LENGTHS, NUMBERS = [4, 7, 5], [10.0, 13.0, 28.0]
MEAN, SPREAD = 17.0, 4.0


def task(mean: float = MEAN, spread: float = SPREAD, **settings) -> Regress:
    return Regress(Settings(**settings), shape(), mean, spread)


def test_targets_are_counted_from_the_mean_in_units_of_the_spread():
    assert task().collate(NUMBERS)["numbers"].tolist() == [-1.75, -1.0, 2.75]


def test_large_numbers_that_differ_little_keep_their_difference():
    made = task(1e9, 1.0)
    assert made.collate([1e9 + 0.5, 1e9 - 0.25])["numbers"].tolist() == [0.5, -0.25]


def test_numbers_that_are_all_the_same_have_a_spread_of_one():
    made = task(7.0, 0.0)
    assert made.collate([7.0, 8.0])["numbers"].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("pooling", ["mean", "max", "attention", "first"])
def test_the_loss_is_the_squared_error_in_that_unit(pooling):
    made, memory = task(pooling=pooling), memory_of(LENGTHS)
    loss = made.loss(memory, made.collate(NUMBERS))
    said = made.readout(memory) @ made.output.weight[0] + made.output.bias
    close(loss.total, sum((s - (n - MEAN) / SPREAD) ** 2 for s, n in zip(said, NUMBERS, strict=True)))
    assert loss.count == 3


def test_the_loss_may_be_the_absolute_error():
    made, memory = task(loss="absolute"), memory_of(LENGTHS)
    loss = made.loss(memory, made.collate(NUMBERS))
    said = made.readout(memory) @ made.output.weight[0] + made.output.bias
    close(loss.total, sum(abs(s - (n - MEAN) / SPREAD) for s, n in zip(said, NUMBERS, strict=True)))
    assert loss.count == 3


def test_an_answer_is_in_the_unit_of_the_data():
    made, memory = task().eval(), memory_of(LENGTHS)
    with torch.no_grad():
        said = made.readout(memory) @ made.output.weight[0] + made.output.bias
        found = made.answer(memory, Search())
    assert found == pytest.approx((said.double() * SPREAD + MEAN).tolist(), abs=1e-4)
    assert all(isinstance(number, float) for number in found)


def test_what_is_said_right_has_no_loss_and_gives_the_number_back():
    made, memory = task(), memory_of([5])
    with torch.no_grad():
        made.output.weight.zero_()
        made.output.bias.fill_((28.0 - MEAN) / SPREAD)
        assert made.loss(memory, made.collate([28.0])).total == 0
        assert made.eval().answer(memory, Search()) == [28.0]


def test_an_ensemble_averages_in_the_unit_of_the_data():
    made, memories = [task().eval() for _ in range(3)], [memory_of(LENGTHS, seed=seed) for seed in range(3)]
    with torch.no_grad():
        alone = [t.answer(m, Search()) for t, m in zip(made, memories, strict=True)]
        together = made[0].answer(memories[0], Search(), list(zip(made, memories, strict=True))[1:])
    assert together == pytest.approx(np.mean(alone, 0).tolist())


def test_its_metrics_are_those_of_numbers_unless_others_are_asked_for():
    assert task().metrics == ("mae", "rmse", "r2")
    assert task(metrics=("rmse",)).metrics == ("rmse",)


def test_every_weight_learns():
    made, memory = task(pooling="attention"), memory_of(LENGTHS)
    no_gradient_is_missing(made, made.loss(memory, made.collate(NUMBERS)).total)
