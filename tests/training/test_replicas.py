"""Parts of an update side by side: the same sum, the same every time, and a failure in one of them is heard."""

import contextlib

import pytest
import torch
from torch import nn

from headway.batch import Batch, Loss
from headway.kernels.dropout import drawn_from, dropout, keep_mask
from headway.training.replicas import Replicas, sharing_weights
from little import quick, same_weights, stopped_after, tiny


class Squares(nn.Module):
    """A loss whose gradient is known: Σ w · x over the rows of a batch, some of x dropped."""

    def __init__(self, rate: float = 0.0):
        super().__init__()
        self.w, self.unused, self.rate = nn.Parameter(torch.ones(1000)), nn.Parameter(torch.ones(3)), rate

    def forward(self, batch: Batch) -> Loss:
        x = batch.input["x"]
        return Loss((dropout(x, self.rate) @ self.w).sum(), float(len(x)))


def batch(*rows: float) -> Batch:
    return Batch({"x": torch.tensor(rows)[:, None].expand(-1, 1000)}, rows=tuple(range(len(rows))))


def replicas(model: nn.Module, number: int) -> Replicas:
    return Replicas(model, number, contextlib.nullcontext)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_gradients_losses_and_counts_of_all_parts_are_summed(number):
    model = Squares()
    parts = [([batch(1.0, 2.0)], 1), ([batch(3.0), batch(4.0)], 2), ([], 3)][-number:]
    total, count = replicas(model, number).gradients(parts)
    rows = {1: 0.0, 2: 7.0, 3: 10.0}[number]
    assert total == pytest.approx(1000 * rows) and count == {1: 0, 2: 2, 3: 4}[number]
    assert model.unused.grad is None
    assert (model.w.grad is None) if number == 1 else torch.equal(model.w.grad, torch.full((1000,), rows))


def test_gradients_are_added_to_those_that_are_there():
    model = Squares()
    model.w.grad = torch.ones(1000)
    replicas(model, 2).gradients([([batch(1.0)], 1), ([batch(2.0)], 2)])
    assert torch.equal(model.w.grad, torch.full((1000,), 4.0))


def test_copies_have_the_models_weights_also_after_an_optimizer_has_changed_them():
    model = Squares()
    copy = sharing_weights(model)
    optimizer = torch.optim.AdamW(model.parameters(), 0.1, fused=True)
    model(batch(1.0)).total.backward()
    assert copy.w.grad is None and copy.w is not model.w
    optimizer.step()
    assert torch.equal(copy.w, model.w) and not torch.equal(model.w, torch.ones(1000))


def test_what_is_dropped_is_a_matter_of_the_seed_and_not_of_who_comes_first():
    """Each part draws from its own generator, so the same seeds give the same bits whichever thread is faster."""
    seen = set()
    for _ in range(20):
        model = Squares(rate=0.5)
        four = replicas(model, 4)
        four.gradients([([batch(*[1.0] * (1 + 7 * n))], n) for n in range(4)])
        seen.add(tuple(model.w.grad.tolist()))
    assert len(seen) == 1


def test_a_thread_inside_draws_from_its_seed_and_behind_as_before():
    x = torch.zeros(64)
    torch.manual_seed(5)
    expected, after = keep_mask(x, 0.5)[0], keep_mask(x, 0.5)[0]
    torch.manual_seed(5)
    assert torch.equal(keep_mask(x, 0.5)[0], expected)
    with drawn_from(1):
        first = keep_mask(x, 0.5)[0]
        with drawn_from(1):
            assert torch.equal(keep_mask(x, 0.5)[0], first)
    assert torch.equal(keep_mask(x, 0.5)[0], after) and not torch.equal(first, expected)


def test_a_failure_in_any_part_is_raised_and_the_threads_are_as_they_were():
    before = torch.get_num_threads()
    parts = [([batch(1.0)], 0), ([Batch({"x": torch.zeros(1, 3)}, rows=(0,))], 1)]
    with pytest.raises(RuntimeError, match="size"):
        replicas(Squares(), 2).gradients(parts)
    assert torch.get_num_threads() == before


@pytest.mark.sampled(4)
@pytest.mark.parametrize("asked", ["tag", "classify", "transduce"])
def test_a_run_in_parts_is_the_same_twice_and_the_same_when_it_is_stopped_between(asked, runs, tmp_path):
    settings = tiny(asked, {"machine.parts": 3, "training.steps": 6, "training.evaluate_every": 2})
    for name in ("one", "two"):
        quick(runs.data(asked), tmp_path / name, settings=settings)
    stopped_after(3, runs.data(asked), tmp_path / "three", settings=settings)
    quick(runs.data(asked), tmp_path / "three", settings=settings, resume=True)
    assert same_weights(tmp_path / "one", tmp_path / "two") and same_weights(tmp_path / "one", tmp_path / "three")
