"""What every task promises: a loss that adds up, an answer for each row, the same whoever stands beside."""

from typing import Any

import numpy as np
import pytest
import torch

from building import memory_of, shape, stirred
from comparing import close
from headway.batch import Loss
from headway.decoders import TargetSizes
from headway.metrics import METRICS
from headway.search import Search
from headway.tasks import TASKS, Task

LENGTHS = [4, 7, 5]
SAMPLES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "tag": ({"labels": 5, "bio": False}, [np.arange(n, dtype=np.int32) % 5 for n in LENGTHS]),
    "classify": (
        {"counts": (5, 3, 2), "rows": 10, "several": False},
        [np.array([n], np.int32) for n in (0, 2, 1)],
    ),
    "classify several": (
        {"counts": (5, 3, 2), "rows": 7, "several": True},
        [np.array(row, np.int32) for row in ([0, 2], [], [1])],
    ),
    "regress": ({"mean": 3.0, "spread": 2.0}, [1.0, 2.5, 9.0]),
    "transduce": (
        {"sizes": TargetSizes(11, 1.0, 3), "metrics": ("chrf",), "source_table": None},
        [np.array(row, np.int32) for row in ([5, 7, 4], [9], [10, 10])],
    ),
}
"""One or more for every file of the room, what data decide and encoded targets; the first word is the file."""
NAMES = pytest.mark.parametrize("name", SAMPLES)


def made(name: str, dropout: float = 0.0) -> Task:
    return stirred(TASKS.build(TASKS.choose(name.split()[0]), shape(dropout=dropout), **SAMPLES[name][0])).eval()


def plain(answer: Any) -> list[float]:
    """The numbers in an answer of any task."""
    if isinstance(answer, tuple | list):
        return [number for part in answer for number in plain(part)]
    return np.asarray(getattr(answer, "tokens", answer), np.float64).ravel().tolist()


def test_every_file_of_the_room_has_a_sample():
    assert {name.split()[0] for name in SAMPLES} == set(TASKS.names())


@NAMES
def test_it_is_measured_by_metrics_that_there_are(name):
    metrics = made(name).metrics
    assert metrics and set(metrics) <= set(METRICS.names())


@NAMES
def test_the_loss_is_a_sum_over_what_it_counts_and_adds_up(name):
    task, memory, targets = made(name), memory_of(LENGTHS), SAMPLES[name][1]
    whole = task.loss(memory, task.collate(targets))
    assert isinstance(whole, Loss) and whole.total.shape == () and whole.total.isfinite() and whole.count > 0
    parts = []
    for row, length in enumerate(LENGTHS):
        alone = memory.select(torch.tensor([row]))
        alone = type(alone)(alone.x[:, :length])
        parts.append(task.loss(alone, task.collate([targets[row]])))
    close(sum(part.total for part in parts), whole.total, 1e-4)
    assert sum(part.count for part in parts) == pytest.approx(whole.count)


@NAMES
def test_every_weight_learns_something_finite(name):
    task, memory = made(name).train(), memory_of(LENGTHS)
    task.loss(memory, task.collate(SAMPLES[name][1])).total.backward()
    for key, parameter in task.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), key
        assert parameter.grad.any() or key.endswith("key.bias"), key  # softmax does not see the shift of the keys


@NAMES
def test_there_is_an_answer_for_each_row_the_same_twice_and_whoever_stands_beside(name):
    task, memory = made(name, dropout=0.5), memory_of(LENGTHS)
    with torch.inference_mode():
        found = task.answer(memory, Search(scores=True))
        assert len(found) == len(LENGTHS)
        assert list(map(plain, task.answer(memory, Search(scores=True)))) == list(map(plain, found))
        for row, length in enumerate(LENGTHS):
            alone = memory.select(torch.tensor([row]))
            (again,) = task.answer(type(alone)(alone.x[:, :length]), Search(scores=True))
            assert plain(again) == pytest.approx(plain(found[row]), abs=1e-5)


@NAMES
def test_an_ensemble_with_itself_is_itself(name):
    task, memory = made(name), memory_of(LENGTHS)
    with torch.inference_mode():
        alone, twice = (task.answer(memory, Search(), others) for others in ((), [(task, memory)]))
    for one, other in zip(alone, twice, strict=True):
        assert plain(one) == pytest.approx(plain(other), abs=1e-5)
