"""The loop: updates in parts are the update of the whole, seeds decide everything, and everything that can end it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import headway
from headway import storage
from headway.errors import HeadwayError, UsageError
from headway.training import checkpoint, loop
from headway.training.events import read_events
from headway.training.loop import Examined, Trainer
from little import ROWS, Hears, data, events, quick, same_weights, stopped_after, tiny, train_and, weights


def gradients(trainer: Trainer, update: list[np.ndarray]) -> tuple[dict[str, torch.Tensor], float, float]:
    """(the gradient of each parameter, the loss's sum, its count) of one update."""
    trainer.model.zero_grad(set_to_none=True)
    total, count = trainer._gradients(update)
    return {name: p.grad.clone() for name, p in trainer.model.named_parameters() if p.grad is not None}, total, count


@pytest.mark.sampled(6)
@pytest.mark.parametrize("asked", ROWS)
def test_an_update_in_parts_is_the_update_of_the_whole(asked, tmp_path):
    """In double precision, where nothing but the order of sums differs."""
    compared = []

    def prepared(trainer: Trainer) -> None:
        trainer.stop.set()
        trainer.model.double().train()
        trainer.model.task.metrics = trainer.model.task.metrics
        rows = np.concatenate([batch for update in trainer._updates(0) for batch in update])
        whole, total, count = gradients(trainer, [rows])
        for micro, side_by_side in ((1, 1), (7, 2), (20, 3), (1000, 1)):
            trainer.machine, trainer.replicas = (
                trainer.machine.replace(micro_tokens=micro),
                trainer._replicas(side_by_side),
            )
            parts, part_total, part_count = gradients(trainer, [rows])
            grouped, *_ = gradients(trainer, [rows[::2], rows[1::2]])
            assert part_count == count and part_total == pytest.approx(total, rel=1e-6)
            for name, gradient in whole.items():
                torch.testing.assert_close(parts[name], gradient, rtol=1e-6, atol=1e-6, msg=name)
                torch.testing.assert_close(grouped[name], gradient, rtol=1e-6, atol=1e-6, msg=name)
            compared.append(micro)
        trainer.model.float()

    dropped = {} if asked in ("transduce", "tag") else {"model.task.dropout": 0.0}
    settings = tiny(asked, {"model.input.word_dropout": 0.0, **dropped})
    assert quick(data(asked, tmp_path / "data"), tmp_path / "run", settings=settings, prepared=prepared).stopped
    assert compared == [1, 7, 20, 1000]


def test_a_whole_training_in_parts_ends_with_the_same_weights(runs, tmp_path):
    changed = {"training.steps": 5, "training.evaluate_every": 5, "model.input.word_dropout": 0.0}
    settings = tiny("regress", changed | {"model.task.dropout": 0.0})
    quick(runs.data("regress"), tmp_path / "whole", settings=settings)
    quick(runs.data("regress"), tmp_path / "parts", settings=settings | {"machine.micro_tokens": 11})
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    for name in whole:
        if not name.endswith("key.bias"):  # a softmax does not see it: its gradient is rounding
            torch.testing.assert_close(parts[name], whole[name], rtol=1e-3, atol=2e-4, msg=name)


def test_groups_are_batches_that_make_an_update_together(runs, tmp_path):
    seen: dict[int, Any] = {}

    def prepared(trainer: Trainer) -> None:
        trainer.stop.set()
        updates = trainer._updates(0)
        rows = sorted(row for update in updates for batch in update for row in batch.tolist())
        assert rows == list(range(len(trainer.train)))
        for update in updates:
            padded = [int(trainer.train.costs[batch].max()) * len(batch) for batch in update]
            assert sum(padded) <= 50 and len(update) <= trainer.settings.groups
        seen[trainer.settings.groups] = sum(len(update) for update in updates) / len(updates)

    for groups in (1, 3):
        settings = tiny("tag", {"training.groups": groups, "training.tokens": 50})
        quick(runs.data("tag"), tmp_path / str(groups), settings=settings, prepared=prepared)
    assert seen[1] == 1 and seen[3] > 2


@pytest.mark.sampled(3)
@pytest.mark.parametrize("asked", ["classify", "transduce"])
def test_one_seed_is_one_result_bit_by_bit_and_another_seed_another(asked, runs, tmp_path):
    settings = tiny(asked, {"training.steps": 6, "model.encoder.dropout": 0.2, "model.input.word_dropout": 0.1})
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        quick(runs.data(asked), tmp_path / name, seed=seed, settings=settings)
    assert same_weights(tmp_path / "a", tmp_path / "b") and events(tmp_path / "a") == events(tmp_path / "b")
    assert not same_weights(tmp_path / "a", tmp_path / "c") and events(tmp_path / "a") != events(tmp_path / "c")


def test_every_number_of_a_step_hangs_on_seed_and_step_alone():
    assert loop.seed_of(1, 2) == loop.seed_of(1, 2)
    assert len({loop.seed_of(seed, step) for seed in range(30) for step in range(30)}) == 900
    assert loop.seed_of(1, 23) != loop.seed_of(12, 3)


def test_the_log_tells_every_update_and_every_evaluation(runs):
    found = read_events(runs("tag") / "metrics.jsonl")
    assert [event["event"] for event in found if event["event"] in ("start", "end")] == ["start", "end"]
    assert [event["step"] for event in found if event["event"] == "step"] == list(range(1, 13))
    assert [event["step"] for event in found if event["event"] == "valid"] == [4, 8, 12]
    evaluated = [event for event in found if event["event"] == "valid"]
    assert {"accuracy", "loss", "seconds", "best"} <= evaluated[0].keys() and evaluated[0]["best"] is True
    seconds = [event["seconds"] for event in found if "seconds" in event]
    assert seconds == sorted(seconds)


def test_evaluations_read_the_averaged_weights_and_updates_their_own(runs, tmp_path):
    settings = tiny("tag", {"training.average": 0.5, "training.learning_rate": 0.02})
    quick(runs.data("tag"), tmp_path / "run", settings=settings | {"training.evaluate_every": 12})
    last = tmp_path / "run" / "checkpoints" / "step-000000012"
    own = storage.read_tensors(last / "weights.safetensors")
    average = storage.read_tensors(last / "average.safetensors")
    for number, (name, kept) in enumerate(weights(tmp_path / "run").items()):
        assert torch.equal(kept, average[str(number)]) and not torch.equal(kept, own[name])


def test_without_valid_examples_the_last_weights_are_kept(runs, tmp_path):
    def prepared(trainer: Trainer) -> None:
        trainer.valid = Examined([], trainer.valid.encoded)

    quick(runs.data("tag"), tmp_path / "run", settings=tiny("tag"), prepared=prepared)
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["step"] == 12
    assert not any("accuracy" in event for event in events(tmp_path / "run") if event["event"] == "valid")


def test_valid_examples_are_thinned_evenly_for_the_evaluations(runs, tmp_path):
    seen = []

    def prepared(trainer: Trainer) -> None:
        seen.append([example.where.line for example in trainer.valid.examples])
        trainer.stop.set()

    quick(runs.data("tag"), tmp_path / "a", settings=tiny("tag", {"training.valid_examples": 5}), prepared=prepared)
    quick(runs.data("tag"), tmp_path / "b", settings=tiny("tag", {"training.valid_examples": 12}), prepared=prepared)
    assert seen == [[1, 4, 7, 10], list(range(1, 13))]


# ------------------------------------------------------------------------------------------------------ what ends it


class Clock:
    """A clock on which every look takes as long."""

    def __init__(self, seconds: float = 1.0):
        self.now, self.seconds = 0.0, seconds

    def monotonic(self) -> float:
        self.now += self.seconds
        return self.now


def test_a_time_limit_stops_wherever_it_is_and_evaluates_there(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "time", Clock())
    settings = tiny("tag", {"training.steps": 1000, "training.time_limit": 7, "training.evaluate_every": 500})
    outcome = quick(runs.data("tag"), tmp_path / "run", settings=settings)
    assert outcome.facts["step"] == 7 and not outcome.stopped and outcome.metrics["test"]
    assert [event["step"] for event in events(tmp_path / "run") if event["event"] == "valid"] == [7]


def test_updates_from_a_time_limit_are_fixed_stored_and_kept_by_a_resume(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "time", Clock())
    settings = tiny("tag", {"training.steps": None, "training.time_limit": 50})
    path = tmp_path / "run"
    stopped_after(3, runs.data("tag"), path, settings=settings)
    (saved,) = (path / "checkpoints").glob("step-*")
    progress = checkpoint.read_progress(saved)
    assert (progress.step, progress.steps) == (3, 44), "0.88 × 50 updates of one second"
    monkeypatch.setattr(loop, "time", Clock(0.01))
    steps = []
    hears = Hears(lambda trainer, step: steps.append((step, trainer.progress.steps)))
    quick(runs.data("tag"), path, resume=True, settings=settings, listener=hears, prepared=hears.prepared)
    assert steps == [(step, 44) for step in range(4, 45)]


def test_measuring_the_speed_changes_nothing_that_is_learned(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "time", Clock(0.1))
    settings = tiny("tag", {"model.encoder.dropout": 0.2})
    measured = settings | {"training.steps": None, "training.time_limit": 1}
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_over", lambda self: False)  # as if the measured speed had been kept
        assert quick(runs.data("tag"), tmp_path / "a", settings=measured).facts["step"] == 8
    quick(runs.data("tag"), tmp_path / "b", settings=settings | {"training.steps": 8})
    assert same_weights(tmp_path / "a", tmp_path / "b")


def test_neither_steps_nor_time_is_an_error_that_says_so(runs, tmp_path):
    with pytest.raises(HeadwayError, match=r"training needs training.steps, training.epochs or training.time_limit"):
        quick(
            runs.data("tag"), tmp_path / "run", settings=tiny("tag", {"training.steps": None, "training.epochs": None})
        )


def test_patience_ends_with_the_evaluations_that_bring_nothing(runs, tmp_path):
    settings = {"training.steps": 100, "training.evaluate_every": 2, "training.patience": 3}
    settings = tiny("tag", settings | {"training.learning_rate": 1e-12})
    outcome = quick(runs.data("tag"), tmp_path / "run", settings=settings)
    assert outcome.facts["step"] == 8 and outcome.metrics["test"]
    assert [event["best"] for event in events(tmp_path / "run") if event["event"] == "valid"] == [True] + [False] * 3


def test_a_loss_that_is_no_number_stops_and_what_was_saved_is_intact(runs, tmp_path):
    def poison(trainer: Trainer, step: int) -> None:
        if step == 6:
            with torch.no_grad():
                next(trainer.model.parameters()).fill_(torch.nan)

    path, settings = tmp_path / "run", tiny("tag")
    with pytest.raises(HeadwayError, match=r"the loss is nan .* at step 7: training has diverged\. Try a lower"):
        train_and(poison, runs.data("tag"), path, settings=settings)
    assert checkpoint.latest(path / "checkpoints", pytest.fail).name == "step-000000004"
    quick(runs.data("tag"), path, resume=True, settings=settings)
    quick(runs.data("tag"), tmp_path / "healthy", settings=settings)
    assert same_weights(path, tmp_path / "healthy")


def test_a_gradient_that_is_no_number_never_reaches_the_weights(runs, tmp_path, monkeypatch):
    """The loss of that update is still finite; the weights behind it would not be."""
    usual = Trainer._gradients

    def broken(self: Trainer, update: Any) -> tuple[float, float]:
        found = usual(self, update)
        if self.progress.step == 7:
            next(p.grad for p in self.model.parameters() if p.grad is not None).view(-1)[0] = torch.inf
        return found

    monkeypatch.setattr(Trainer, "_gradients", broken)
    with pytest.raises(HeadwayError, match=r"its gradient inf long at step 8: training has diverged"):
        quick(runs.data("tag"), tmp_path / "run", settings=tiny("tag"))
    assert headway.load(tmp_path / "run").predict("ant bee")


def test_a_learning_rate_without_measure_is_told_apart_from_a_mistake_of_headway(runs, tmp_path):
    with pytest.raises(HeadwayError, match="training has diverged"):
        quick(runs.data("tag"), tmp_path / "run", settings=tiny("tag", {"training.learning_rate": 1e38}))


def test_a_run_stopped_before_its_first_evaluation_has_no_weights_and_says_how_to_go_on(runs, tmp_path):
    outcome = stopped_after(2, runs.data("tag"), tmp_path / "run", settings=tiny("tag"))
    assert outcome.stopped and outcome.metrics == {} and outcome.facts["step"] == 2
    message = r"is no finished run folder.*goes on with headway train \.\.\. --resume"
    with pytest.raises(headway.RunError, match=message):
        headway.load(tmp_path / "run")


def test_bfloat16_trains_as_well(runs, tmp_path):
    settings = tiny("tag", {"machine.precision": "bfloat16", "training.steps": 3})
    assert quick(runs.data("tag"), tmp_path / "run", settings=settings).metrics["test"].keys() == {"accuracy"}


def test_a_device_that_is_not_here_is_refused_in_words(runs, tmp_path):
    with pytest.raises(UsageError, match=r"machine.device quantum cannot be used here: .*; auto takes what there is"):
        quick(runs.data("tag"), tmp_path / "run", settings=tiny("tag", {"machine.device": "quantum"}))
    assert not Path(tmp_path / "run").exists()
