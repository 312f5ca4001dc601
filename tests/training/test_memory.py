"""Memory: a batch that does not fit goes in pieces with the gradient of the whole, and a resumed run does the same.

An allocator that fails on command stands for the GPU's and for a limit of the system: a pass through the model raises
what torch raises, by the number of padded tokens that it is given.
"""

import contextlib
import json
import shutil
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import headway
from headway.batch import Batch
from headway.cli import run as headway_command
from headway.errors import HeadwayError, LackOfMemory, lacks_memory
from headway.model import Model
from headway.training import memory, splitting
from headway.training.events import read_events
from headway.training.loop import Trainer
from headway.training.memory import SMALL, Bound, DoesNotFit, Foresight, Lack, bound_of, free_memory, within_memory
from headway.training.splitting import Limit, Limits, in_pieces
from little import Hears, events, options, quick, same_weights, stopped_after, tiny, weights

TEXTS = {
    "gpu": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "windows": RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 68719476736 bytes."),
    "linux": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes. Error code 12"),
    "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    "python": MemoryError(),
}
STILL = {"model.input.word_dropout": 0.0, "model.task.dropout": 0.0, "machine.parts": 1}
"""Nothing is dropped, so that pieces are the whole."""


@contextlib.contextmanager
def failing(when: Callable[[torch.Tensor, Batch], bool], error: Exception = TEXTS["gpu"]) -> Iterator[list[int]]:
    """An allocator that fails where `when` says so of the encoder's output (B, S, D); gives the rows of its passes."""
    usual, passes = Model.encode, list[int]()

    def encode(self: Model, batch: Batch) -> Any:
        found = usual(self, batch)
        passes.append(len(batch))
        if when(found.x, batch):
            raise error
        return found

    Model.encode = encode  # type: ignore[method-assign]
    try:
        yield passes
    finally:
        Model.encode = usual  # type: ignore[method-assign]


def more_than(tokens: int) -> Callable[[torch.Tensor, Batch], bool]:
    return lambda x, batch: x.shape[0] * x.shape[1] > tokens


# ------------------------------------------------------------------------------------------------------------- knowing


@pytest.mark.parametrize("name", TEXTS)
def test_what_says_that_memory_is_out_is_known(name):
    assert lacks_memory(TEXTS[name])


@pytest.mark.parametrize("error", [RuntimeError("shape '[2]' is invalid"), ValueError("out of memory"), KeyError(1)])
def test_other_errors_are_left(error):
    assert not lacks_memory(error)
    with pytest.raises(type(error)):
        within_memory([1], lambda: (_ for _ in ()).throw(error))


def test_what_a_failed_pass_had_is_free_when_the_next_is_tried():
    seen: list[Any] = []

    def work() -> None:
        large = torch.zeros(10)
        seen.append(weakref.ref(large))
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(DoesNotFit) as caught:
        within_memory([4, 2], work)
    assert caught.value.rows == (4, 2) and caught.value.__context__ is None and seen[0]() is None


def test_free_memory_is_what_the_narrowest_leaves(tmp_path, monkeypatch):
    def group(path: Path, **files: str) -> None:
        path.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (path / name.replace("__", ".")).write_text(content)

    own = tmp_path / "cgroup"
    group(tmp_path / "two/a/b", memory__max="max\n", memory__current="7", memory__stat="inactive_file 3\n")
    group(tmp_path / "two/a", memory__max="1000\n", memory__current="900\n", memory__stat="file 1\ninactive_file 50\n")
    own.write_text("0::/a/b\n")
    assert list(memory._of_groups(own, tmp_path / "two")) == [150]
    v1 = {"memory__limit_in_bytes": "500", "memory__usage_in_bytes": "480"}
    group(tmp_path / "one/memory/x", **v1, memory__stat="cache 1\ntotal_inactive_file 5\n")
    own.write_text("4:memory:/x\n3:cpuset:/\n0::/\n")
    assert list(memory._of_groups(own, tmp_path / "one")) == [25]
    own.write_text("0::/../../etc\n")
    assert list(memory._of_groups(own, tmp_path / "two")) == []
    assert list(memory._of_groups(tmp_path / "none", tmp_path)) == []
    info = tmp_path / "meminfo"
    info.write_text("MemTotal:  9 kB\nMemAvailable:      3 kB\nSwapFree:   2 kB\n")
    assert memory._of_system(memory.FREE, info) == 3072 and memory._of_system(memory.SWAP, info) == 2048
    monkeypatch.setattr(memory, "_of_limits", lambda: iter([10**30]))
    monkeypatch.setattr(memory, "_of_groups", lambda: iter([1234]))
    assert free_memory() == 1234


def test_a_limit_of_the_process_counts():
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 45, before[1]))
    try:
        (left,) = memory._of_limits()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert 0 < left < 1 << 45


# ----------------------------------------------------------------------------------------------------------- foresight


def foresight(free: int, each: Callable[[int], int], monkeypatch: Any, once: int = 0) -> tuple[Foresight, list[int]]:
    """One of a machine with so much free memory, for rows that keep `each(length)`; and the lengths it has measured."""
    monkeypatch.setattr(memory, "free_memory", lambda: free)
    monkeypatch.setattr(memory, "free_swap", lambda: 0)
    costs, measured = np.arange(1, 1001), list[int]()

    def kept(row: int) -> int:
        measured.append(int(costs[row]))
        return each(int(costs[row]))

    made = Foresight(torch.nn.Linear(64, 64), costs, kept, lambda: once)
    made.bound = Bound(1 << 14, 1 << 7)
    return made, measured


def rows_of(length: int, number: int) -> np.ndarray:
    return np.full(number, length - 1)


def test_where_memory_is_ample_nothing_is_measured(monkeypatch):
    made, measured = foresight(1 << 45, lambda n: n, monkeypatch)
    assert made.lack([[rows_of(1000, 50)]]) is None and measured == []


def test_what_is_foreseen_is_split_so_that_it_fits(monkeypatch):
    each = lambda n: 1000 * n + 10 * n * n  # noqa: E731
    free = 200 * each(800)
    made, measured = foresight(free, each, monkeypatch)
    lack = made.lack([[rows_of(800, 150), rows_of(10, 2)]])
    assert measured == [100, 400, 800], "rows of an eighth, half and all of the length"
    assert lack is not None and lack.length == 800 and lack.rows == 150
    assert lack.fits == int(0.9 * free / (2 * each(800))) == 90
    assert lack.needed == 2 * 150 * each(800) and lack.free == free
    assert made.lack([[rows_of(800, lack.fits)]]) is None
    made.ran([[rows_of(800, 80)]])
    assert made.lack([[rows_of(800, 80)]]) is None
    assert made.lack([[rows_of(800, 160)]]) is None, "what the largest so far took stays with the process"
    assert made.lack([[rows_of(800, 171)]]) is not None


def test_parts_that_are_worked_on_side_by_side_are_added(monkeypatch):
    each = lambda n: 10**6 * n  # noqa: E731
    made, _ = foresight(200 * each(500), each, monkeypatch)
    assert made.lack([[rows_of(500, 80)]]) is None
    lack = made.lack([[rows_of(500, 80)], [rows_of(500, 80)]])
    assert lack is not None and lack.fits == 45


def test_one_row_is_refused_only_where_it_cannot_fit(monkeypatch):
    each = lambda n: 10**6 * n  # noqa: E731
    made, _ = foresight(int(1.5 * each(900)), each, monkeypatch)
    assert made.lack([[rows_of(900, 1)]]) is None, "with what may come beside it is too much, alone it may fit"
    made, _ = foresight(int(0.9 * each(900)), each, monkeypatch)
    lack = made.lack([[rows_of(900, 1)]])
    assert lack is not None and lack.fits == 0 and lack.needed >= 0.9 * each(900)


@given(length=st.integers(1, 1000), rows=st.integers(1, 300), share=st.floats(0.2, 3.0), square=st.integers(0, 50))
def test_what_is_let_through_fits_and_what_is_cut_could_not_have(length, rows, share, square):
    with pytest.MonkeyPatch.context() as patch:
        each = lambda n: 10**6 * n + 10**3 * square * n * n  # noqa: E731
        made, _ = foresight(int(share * rows * each(length)), each, patch)
        made.bound = Bound(10**7, 10**6)
        lack = made.lack([[rows_of(length, rows)]])
        need = 2 * rows * each(length)
        if lack is None:
            assert rows == 1 or need <= 0.9 * share * rows * each(length) + 2
        else:
            assert need > 0.89 * share * rows * each(length) and lack.fits < rows
            assert lack.fits <= 1 or 2 * lack.fits * each(length) <= share * rows * each(length)


def test_the_bound_of_a_model_is_above_what_it_keeps(runs):
    predictor = headway.load(runs("tag"))
    checked: list[int] = []

    def prepared(trainer: Trainer) -> None:
        trainer.stop.set()
        for row in (0, 5):
            kept = trainer._kept(row)
            assert 0 < kept < bound_of(trainer.model).bytes(1, int(trainer.train.costs[row]))
            checked.append(kept)
        assert all(p.grad is None for p in trainer.model.parameters())

    assert bound_of(predictor.model).bytes(4, 10) == 4 * bound_of(predictor.model).bytes(1, 10)
    quick(runs.data("tag"), runs.folder / "bound-of-a-model", settings=tiny("tag"), prepared=prepared)
    assert len(checked) == 2


# -------------------------------------------------------------------------------------------------------------- limits


def test_limits_hold_from_their_step_and_length_on_and_are_kept(tmp_path):
    limits = Limits(tmp_path)
    assert limits.tokens(100, 5) is None
    limit = limits.lower(5, Lack(row=3, length=100, rows=8, fits=4), write=True)
    assert limit == Limit(5, 80, 400, 3, 8)
    limits.lower(9, Lack(row=3, length=40, rows=4, fits=2), write=True)
    assert limits.tokens(79, 5) is None and limits.tokens(80, 4) is None and limits.tokens(80, 5) == 400
    assert limits.tokens(100, 9) == 80 and limits.tokens(31, 9) is None
    again = Limits.read(tmp_path, pytest.fail)
    assert again.all == limits.all and again.met(9) == limits.all[1:]
    costs = np.array([10, 100, 100, 100, 100, 100])
    whole = np.arange(6)
    assert [len(piece) for piece in again.pieces(whole, costs, None, 4)] == [6]
    assert [piece.tolist() for piece in again.pieces(whole, costs, None, 5)] == [[0, 1, 2, 3], [4, 5]]
    assert [len(piece) for piece in again.pieces(whole, costs, 200, 5)] == [2, 2, 2]


@pytest.mark.parametrize("content", ["{", '{"limits": [{"step": 1}]}', '{"limits": 3}', "[]", "{}"])
def test_limits_that_are_damaged_are_named_and_found_again(content, tmp_path):
    (tmp_path / splitting.FILE).write_text(content)
    heard: list[str] = []
    assert Limits.read(tmp_path, heard.append).all == []
    assert len(heard) == 1 and "memory.json" in heard[0] and "found again" in heard[0]


# ------------------------------------------------------------------------------------------------------------ training


@pytest.mark.parametrize("error, parts", [("gpu", 1), ("windows", 2)])
def test_the_gradient_of_a_split_batch_is_that_of_the_whole(error, parts, runs, tmp_path):
    """In double precision, where nothing but the order of sums differs; forward or backward is where it fails."""
    compared: list[int] = []

    def prepared(trainer: Trainer) -> None:
        trainer.stop.set()
        trainer.model.double().train()
        trainer._replicas(parts)
        rows = np.concatenate([batch for update in trainer._updates(0) for batch in update])

        def gradients() -> tuple[dict[str, torch.Tensor], tuple[float, float]]:
            trainer.replicas.forget()
            sums = trainer._gradients([rows[:20], rows[20:]])
            return {name: p.grad.clone() for name, p in trainer.model.named_parameters() if p.grad is not None}, sums

        whole, (total, count) = gradients()
        with failing(more_than(40), TEXTS[error]) as passes:
            split, (split_total, split_count) = gradients()
        assert count == split_count and split_total == pytest.approx(total, rel=1e-9)
        for name, gradient in whole.items():
            torch.testing.assert_close(split[name], gradient, rtol=1e-6, atol=1e-9, msg=name)
        assert trainer.progress.split == 2 and trainer.limits.all and max(passes[-4:]) < 20
        compared.append(len(whole))
        trainer.model.float()

    settings = tiny("regress", STILL)
    quick(runs.data("regress"), tmp_path / "run", settings=settings, prepared=prepared)
    assert compared


def test_a_batch_that_does_not_fit_is_split_named_counted_and_learned_from(runs, tmp_path):
    hears = Hears()
    few = {"training.steps": 4, "training.evaluate_every": 4}
    settings = tiny("tag", {"model.input.word_dropout": 0.0, "machine.parts": 1, **few})
    whole = quick(runs.data("tag"), tmp_path / "whole", settings=settings)
    with failing(more_than(100)):
        outcome = quick(runs.data("tag"), tmp_path / "run", settings=settings, listener=hears)
    assert whole.facts["split"] == 0 and outcome.facts["split"] > 0
    told = [event for event in read_events(tmp_path / "run/metrics.jsonl") if event["event"] == "split"]
    kept = json.loads((tmp_path / "run/checkpoints/memory.json").read_text())
    assert [limit["tokens"] for limit in kept["limits"]] == [event["tokens"] for event in told]
    assert told and told[0]["tokens"] <= 100 and told[0]["rows"] > 1 and "train.slash:" in told[0]["where"]
    assert not [event for event in events(tmp_path / "whole") if event["event"] == "split"]
    (first, *_) = [text for text in hears.sentences if "out of memory" in text]
    assert told[0]["where"] in first and "the gradient stays the same" in first
    for setting in ("training.tokens (now 150)", "data.max_length", "machine.precision bfloat16", "machine.recompute"):
        assert setting in first
    ours, theirs = weights(tmp_path / "run"), weights(tmp_path / "whole")
    for name in theirs:
        if not name.endswith("key.bias"):  # a softmax does not see it: its gradient is rounding
            torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=2e-4, msg=name)


@pytest.mark.parametrize("stop", [6, pytest.param(3, marks=pytest.mark.long), pytest.param(11, marks=pytest.mark.long)])
def test_a_resumed_run_takes_the_same_pieces_at_the_same_steps(stop, runs, tmp_path):
    """Dropout and all, bit by bit; also where memory is ample when it goes on, since what was learned is kept."""
    settings = tiny("tag", {"model.encoder.dropout": 0.1, "machine.parts": 1})
    steps = settings["training.steps"]

    def short(since: int) -> Any:
        """Memory is short from a step on, and shorter from the fifth on."""

        def when(x: torch.Tensor, batch: Any) -> bool:
            step = round(batch.progress * steps)
            return x.requires_grad and step >= since and x.shape[0] * x.shape[1] > (130 if step < 5 else 60)

        return failing(when)

    with short(0):
        quick(runs.data("tag"), tmp_path / "whole", settings=settings)
    with short(0):
        assert stopped_after(stop, runs.data("tag"), tmp_path / "run", settings=settings).stopped
    shutil.rmtree(tmp_path / f"run/checkpoints/step-{stop:09}")  # as a kill between two checkpoints leaves it
    with short(stop):
        quick(runs.data("tag"), tmp_path / "run", resume=True, settings=settings)
    assert same_weights(tmp_path / "run", tmp_path / "whole")
    assert events(tmp_path / "run") == events(tmp_path / "whole")
    assert any(event["event"] == "split" for event in events(tmp_path / "run"))


def test_what_is_foreseen_in_training_is_split_before_it_runs(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "SMALL", 0)
    hears, settings = Hears(), tiny("tag", {"machine.parts": 2, "training.steps": 3, "training.evaluate_every": 3})

    def poor(trainer: Trainer) -> None:
        row = int(np.argmax(trainer.train.costs))
        monkeypatch.setattr(memory, "free_memory", lambda: 12 * trainer._kept(row))
        trainer._once = lambda: 0  # type: ignore[method-assign]

    with failing(lambda x, batch: False) as passes:
        outcome = quick(runs.data("tag"), tmp_path / "run", settings=settings, listener=hears, prepared=poor)
    assert outcome.facts["split"] > 0 and max(passes) <= 12
    text = next(text for text in hears.sentences if "memory is short at step" in text)
    assert "would take about" in text and "are free" in text and "train.slash:" in text


@pytest.mark.parametrize("foreseen", [True, False])
def test_one_example_that_is_too_large_alone_is_an_error_with_what_to_do(foreseen, runs, tmp_path, monkeypatch, capsys):
    if foreseen:
        monkeypatch.setattr(memory, "SMALL", 0)
        monkeypatch.setattr(memory, "free_memory", lambda: 1000)
        monkeypatch.setattr(memory, "free_swap", lambda: 0)
    run, settings = tmp_path / "run", tiny("tag", {"machine.parts": 1})
    with failing(lambda x, batch: not foreseen and x.shape[1] > 4 and x.requires_grad):
        code = headway_command(["train", str(runs.data("tag")), "--out", str(run), *options(settings)])
    told = capsys.readouterr().err
    assert code == 1 and "Traceback" not in told
    assert "does not fit into memory" in told and "train.slash:" in told and "data.max_length below" in told
    assert "machine.recompute true" in told and "a smaller model" in told
    assert ("it takes at least" in told) == foreseen


def test_errors_that_are_no_lack_of_memory_end_training_as_ever(runs, tmp_path):
    with (
        failing(lambda x, batch: True, RuntimeError("shape '[2]' is invalid")),
        pytest.raises(RuntimeError, match="invalid"),
    ):
        quick(runs.data("tag"), tmp_path / "run", settings=tiny("tag"))


# ----------------------------------------------------------------------------------------------------------- answering


@pytest.mark.parametrize("asked", ["tag", "transduce"])
def test_answers_in_pieces_are_the_answers(asked, runs):
    predictor = headway.load(runs(asked))
    inputs = ["ant bee cat", "dog", "elk fox gnu hen ant bee", "bee bee"] * 3 if asked == "tag" else ["abc", "hgfe"] * 5
    expected = predictor.predict(inputs)
    with failing(lambda x, batch: x.shape[0] > 2) as passes:
        assert predictor.predict(inputs) == expected
    assert len(passes) >= 6


def test_scores_in_pieces_are_the_scores(runs):
    predictor = headway.load(runs("transduce"))
    pairs = [("abc", "cba"), ("hgfe", "efgh"), ("a", "a")] * 3
    expected = predictor.score(pairs)
    with failing(lambda x, batch: x.shape[0] > 2) as passes:
        found = predictor.score(pairs)
    assert len(passes) >= 5 and [len(row) for row in found] == [4, 5, 2] * 3
    for one, other in zip(found, expected, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_an_answer_that_does_not_fit_names_its_line(runs, tmp_path, capsys):
    with failing(lambda x, batch: x.shape[1] > 5):
        code = headway_command(["evaluate", str(runs("tag")), str(runs.data("tag"))])
    told = capsys.readouterr().err
    assert code == 1 and "test.slash:" in told and "does not fit into memory, answered alone" in told


@pytest.mark.long
def test_evaluations_while_training_are_split_as_well(runs, tmp_path):
    with failing(lambda x, batch: not x.requires_grad and x.shape[0] > 3) as passes:
        outcome = quick(runs.data("tag"), tmp_path / "run", settings=tiny("tag"))
    assert outcome.metrics["test"] and outcome.facts["split"] == 0 and passes


@given(
    costs=st.lists(st.integers(1, 20), min_size=1, max_size=30),
    budget=st.integers(20, 200),
    room=st.integers(20, 120),
    foreseen=st.integers(1, 30),
)
def test_every_row_goes_through_once_whatever_fits(costs, budget, room, foreseen):
    from headway.data.batching import in_order_of_length

    array, done, tried = np.array(costs), list[int](), list[int]()

    def work(rows: np.ndarray) -> int:
        size = len(rows) * int(array[rows].max())
        tried.append(size)
        if size > room:
            raise MemoryError
        done.extend(rows.tolist())
        return len(rows)

    batches = in_order_of_length(array, budget)
    fits = lambda rows, length: min(rows, foreseen)  # noqa: E731
    counts = list(in_pieces(batches, array, work, fits, lambda row: HeadwayError(row), lambda: None))
    assert sorted(done) == list(range(len(costs))) and sum(counts) == len(costs)
    assert sum(size > room for size in tried) <= 10, "what was learned holds for all that follow"


def test_a_row_that_fits_nowhere_ends_it():
    def work(rows: np.ndarray) -> int:
        raise MemoryError

    array = np.array([3, 2, 9])
    with pytest.raises(LackOfMemory, match="row 2"):
        list(
            in_pieces(
                [np.array([2, 0])], array, work, lambda r, n: r, lambda row: LackOfMemory(f"row {row}"), lambda: None
            )
        )


def test_on_a_cpu_the_bound_of_the_model_says_how_many_are_answered_at_once(runs, monkeypatch):
    model, cpu = headway.load(runs("tag")).model, torch.device("cpu")
    each = bound_of(model).bytes(1, 100) // 3
    monkeypatch.setattr(memory, "free_memory", lambda: 10 * each)
    assert memory.rows_that_fit(model, cpu, 1, 5, 100) == 5, "below what is looked at"
    assert 1000 * each > SMALL
    assert memory.rows_that_fit(model, cpu, 1, 1000, 100) == 9 and memory.rows_that_fit(model, cpu, 5, 1000, 100) == 1
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    assert memory.rows_that_fit(model, cpu, 1, 1000, 100) == 1000
