"""Input, encoder and task as one model: every question, learning and answering, alone and together."""

from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from building import shape, stirred
from comparing import close
from headway.batch import Batch, Loss
from headway.decoders import TargetSizes
from headway.functional.masks import Mask
from headway.inputs import text
from headway.model import Model, ModelSettings
from headway.search import Search
from headway.tasks import transduce

V, LENGTHS = 13, [4, 7, 2]
SIZES: dict[str, dict[str, Any]] = {
    "tag": {"labels": 5, "bio": False},
    "classify": {"counts": (5, 3, 2), "rows": 10, "several": False},
    "regress": {"mean": 3.0, "spread": 2.0},
    "transduce": {"sizes": TargetSizes(V, 1.0, 3, shared=True), "metrics": ("chrf",)},
}
TARGETS: dict[str, list[Any]] = {
    "tag": [np.arange(n, dtype=np.int32) % 5 for n in LENGTHS],
    "classify": [np.array([n], np.int32) for n in (0, 2, 1)],
    "regress": [1.0, 2.5, 9.0],
    "transduce": [np.array(row, np.int32) for row in ([5, 7, 4], [9], [10, 10])],
}
TASKS = pytest.mark.parametrize("task", SIZES)


def model(task: str, dropout: float = 0.0, seed: int = 0, **changed: Any) -> Model:
    torch.manual_seed(seed)
    settings = ModelSettings(encoder=shape(dropout=dropout), task=changed.pop("settings", task))
    return stirred(Model(settings, text.TextSizes(V), SIZES[task]), seed)


def rows_of(lengths: list[int]) -> list[np.ndarray]:
    return [np.array([4 + (5 * i + n) % 9 for i in range(n)], np.int32) for n in lengths]


def batch_of(made: Model, lengths: list[int], targets: list[Any] = ()) -> Batch:
    target = made.task.collate(targets) if len(targets) else {}
    return Batch(text.collate(rows_of(lengths), None), target, tuple(range(len(lengths))))


def plain(answer: Any) -> list[float]:
    if isinstance(answer, tuple | list):
        return [number for part in answer for number in plain(part)]
    return np.asarray(getattr(answer, "tokens", answer), np.float64).ravel().tolist()


@TASKS
def test_the_loss_is_the_tasks_of_what_the_encoder_makes_of_the_input(task):
    made = model(task)
    batch = batch_of(made, LENGTHS, TARGETS[task])
    loss = made(batch)
    vectors = made.input(batch.input)
    memory = made.encoder(vectors.x, Mask(batch.input["keys"]))
    expected = made.task.loss(memory, batch.target)
    assert isinstance(loss, Loss) and loss.count == expected.count
    close(loss.total, expected.total)
    close(made.encode(batch).x, memory.x)


@TASKS
def test_the_losses_of_rows_add_up_to_that_of_the_batch_with_their_gradients(task):
    made = model(task)
    whole = made(batch_of(made, LENGTHS, TARGETS[task]))
    parts = [made(batch_of(made, [n], [target])) for n, target in zip(LENGTHS, TARGETS[task], strict=True)]
    close(sum(part.total for part in parts), whole.total, 1e-4)
    assert sum(part.count for part in parts) == pytest.approx(whole.count)
    parameters = list(made.parameters())
    one = torch.autograd.grad(whole.total, parameters)
    other = torch.autograd.grad(sum(part.total for part in parts), parameters)
    for a, b in zip(one, other, strict=True):
        close(a, b, 1e-3)


@pytest.mark.sampled(3)
@TASKS
def test_a_few_steps_learn_a_few_rows(task):
    made = model(task).train()
    optimizer = torch.optim.AdamW(made.parameters(), 3e-3)
    batch = batch_of(made, LENGTHS, TARGETS[task])
    losses = []
    for _ in range(40):
        loss = made(batch).mean
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("task", ["tag", "classify", "transduce"])
@hypothesis.settings(max_examples=12)
@given(lengths=st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_an_answer_does_not_depend_on_who_stands_beside(task, lengths):
    made = ONCE.setdefault(task, model(task).eval())
    with torch.inference_mode():
        together = made.answer(batch_of(made, [*lengths, 7]), Search())
        for row, length in enumerate(lengths):
            (alone,) = made.answer(batch_of(made, [length]), Search())
            assert plain(alone) == pytest.approx(plain(together[row]), abs=1e-4)


ONCE: dict[str, Model] = {}


@TASKS
def test_rows_of_one_length_are_answered_without_a_mask_as_with_one(task):
    made = model(task).eval()
    batch = batch_of(made, [5, 5])
    assert "keys" not in batch.input
    masked = Batch({**batch.input, "keys": torch.ones(2, 5, dtype=torch.bool)}, {}, batch.rows)
    with torch.inference_mode():
        for one, other in zip(made.answer(batch, Search()), made.answer(masked, Search()), strict=True):
            assert plain(one) == pytest.approx(plain(other), abs=1e-4)


@TASKS
def test_the_same_twice_in_evaluation_and_by_the_seed_in_training(task):
    made = model(task, dropout=0.3)
    batch = batch_of(made, LENGTHS, TARGETS[task])
    made.eval()
    assert made(batch).total.equal(made(batch).total)
    made.train()
    losses = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        losses.append(made(batch).total.item())
    assert losses[0] == losses[1] != losses[2]


@TASKS
def test_the_seed_decides_the_weights(task):
    same, again, other = (dict(model(task, seed=seed).named_parameters()) for seed in (1, 1, 2))
    assert all(same[name].equal(again[name]) for name in same)
    assert not all(same[name].equal(other[name]) for name in same)


@TASKS
def test_an_ensemble_gives_every_model_its_own_encoder(task):
    first, second = model(task, seed=1).eval(), model(task, seed=2).eval()
    batch = batch_of(first, LENGTHS)
    with torch.inference_mode():
        found = first.answer(batch, Search(), [second])
        expected = first.task.answer(first.encode(batch), Search(), [(second.task, second.encode(batch))])
    assert list(map(plain, found)) == list(map(plain, expected))


@pytest.mark.parametrize("mode", ["greedy", "beam"])
@pytest.mark.parametrize("task", ["classify", "regress", "transduce"])
def test_a_row_without_elements_gets_an_answer_that_is_a_number(task, mode):
    made = model(task).eval()
    with torch.inference_mode():
        found = made.answer(batch_of(made, [0, 3]), Search(mode, beam=2, scores=True))
        (alone,) = made.answer(batch_of(made, [3]), Search(mode, beam=2, scores=True))
    assert all(np.isfinite(plain(answer)).all() for answer in found)
    assert all(np.isfinite(hypothesis.log_p).all() for row in found if task == "transduce" for hypothesis in row)
    assert plain(found[1]) == pytest.approx(plain(alone), abs=1e-4)


def test_one_table_may_serve_the_source_the_target_and_the_output():
    settings = transduce.Settings(decoder={"kind": "autoregressive", "tie": "all"})
    made = model("transduce", settings=settings)
    assert made.input.embedding is made.task.decoder.embedding is made.task.decoder.output
    names = [name for name, _ in made.named_parameters()]
    assert len([name for name in names if "embedding" in name]) == 1
    apart = model("transduce")
    assert apart.input.embedding is not apart.task.decoder.embedding


def test_the_settings_of_a_model_are_found_by_their_path():
    settings = ModelSettings(task="tag")
    assert type(settings.task).__module__ == "headway.tasks.tag"
    assert settings.encoder == ModelSettings().encoder
