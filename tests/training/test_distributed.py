"""Several processes: their sums are the whole's, their parts overlap nowhere, and what one cannot know the first tells.

Here ranks are played by one process, each in turn, or by a group of gloo with one member; processes of their own are in
`test_several_processes.py`.
"""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from headway.batch import ClassifyAnswer, RegressAnswer, TagAnswer, TransduceAnswer
from headway.cli import _launching
from headway.errors import HeadwayError, LostProcess, RunError, UsageError
from headway.machine import device_among, set_up
from headway.training import checkpoint, distributed, sharding
from headway.training.distributed import ALONE, Buckets, Group, Processes, joined
from headway.training.gathering import as_plain, in_turns
from headway.training.loop import Trainer
from headway.training.settings import MachineSettings
from little import data, quick, same_weights, tiny


class Rank(Group):
    """One of several processes, whose sums are added by the test."""

    def __init__(self, rank: int, size: int):
        super().__init__()
        self.rank, self.size = rank, size


@contextlib.contextmanager
def group_of_one(folder: Path) -> Iterator[Processes]:
    """A group of torch.distributed with this process alone."""
    store = dist.FileStore(str(folder / "meeting"), 1)
    dist.init_process_group("gloo", store=store, rank=0, world_size=1, timeout=timedelta(seconds=30))
    try:
        yield Processes()
    finally:
        dist.destroy_process_group()


def length(vectors: dict[str, torch.Tensor]) -> float:
    return float(torch.stack([vector.double().norm() for vector in vectors.values()]).norm())


def gradients(trainer: Trainer, rows: np.ndarray) -> tuple[dict[str, torch.Tensor], float, float]:
    trainer.model.zero_grad(set_to_none=True)
    total, count = trainer._gradients([rows])
    return {name: p.grad.clone() for name, p in trainer.model.named_parameters() if p.grad is not None}, total, count


@pytest.mark.parametrize(
    "asked", ["tag", *(pytest.param(name, marks=pytest.mark.long) for name in ("classify", "regress", "transduce"))]
)
def test_4096_tokens_at_once_are_4_times_1024_and_2_ranks_with_2_times_1024(asked, tmp_path):
    """Nothing dropped, in double precision, where nothing but the order of sums differs."""
    compared: list[str] = []

    def prepared(trainer: Trainer) -> None:
        trainer.stop.set()
        trainer.model.double().train()
        costs = trainer.train.costs
        rows = np.argsort(-costs, kind="stable")
        rows = np.resize(rows, 4096 // int(costs.max()))  # an update of 4,096 padded tokens
        whole, total, count = gradients(trainer, rows)
        trainer.machine = trainer.machine.replace(micro_tokens=1024)
        four = gradients(trainer, rows)
        found = []
        for rank in range(2):
            trainer.group = Rank(rank, 2)
            found.append(gradients(trainer, rows))
        trainer.group = ALONE
        trainer.model.float()
        added = {name: found[0][0][name] + found[1][0][name] for name in whole}
        two = (added, found[0][1] + found[1][1], found[0][2] + found[1][2])
        for other in (four, two):
            assert other[2] == count and other[1] == pytest.approx(total, rel=1e-6)
            assert length({name: other[0][name] - whole[name] for name in whole}) <= 1e-9 * length(whole)
            compared.append(asked)

    dropped = {} if asked in ("transduce", "tag") else {"model.task.dropout": 0.0}
    settings = tiny(asked, {"model.input.word_dropout": 0.0, "machine.parts": 1, **dropped})
    quick(data(asked, tmp_path / "data"), tmp_path / "run", settings=settings, prepared=prepared)
    assert len(compared) == 2


@given(rows=st.integers(0, 40), local=st.integers(1, 3), size=st.integers(1, 5))
def test_every_row_is_one_rank_s_and_no_row_is_two(rows, local, size):
    number = local * size
    taken = [
        row for rank in range(size) for part in Rank(rank, size).parts(number) for row in range(rows)[part::number]
    ]
    assert sorted(taken) == list(range(rows))


class Layers(nn.Module):
    """Several layers, one of which nothing reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(3, 2)
        self.layers = nn.ModuleList(nn.Linear(5, 5) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x).tanh()
        return x.square().sum()


@pytest.mark.parametrize("size", [1, 150, 1 << 20])
@pytest.mark.parametrize("announced", [True, False])
def test_buckets_give_each_parameter_its_own_sum_and_nothing_to_the_unused(size, announced, tmp_path):
    model, x = Layers(), torch.randn(7, 5)
    model(x).backward()
    expected = {name: p.grad for name, p in model.named_parameters()}
    model.zero_grad(set_to_none=True)
    with group_of_one(tmp_path) as group:
        buckets = Buckets(list(model.parameters()), group, size)
        assert sorted(id(p) for bucket in buckets.buckets for p in bucket) == sorted(map(id, model.parameters()))
        for _ in range(2):
            if announced:
                buckets.begin()
            model(x).backward()
            assert bool(buckets._work) == (announced and size < 1 << 20), "some have left before backward ends"
            assert buckets.end(2.5, 3.0) == (2.5, 3.0)
            for name, p in model.named_parameters():
                assert (p.grad is None) == (expected[name] is None)
                assert p.grad is None or torch.equal(p.grad, expected[name])
            model.zero_grad(set_to_none=True)


@pytest.mark.parametrize("announced", [True, False])
def test_where_one_process_lacks_memory_all_make_the_update_again(announced, tmp_path):
    """Some buckets have left when memory is out: the next try must find none of them."""
    model, x = Layers(), torch.randn(7, 5)
    with group_of_one(tmp_path) as group:
        buckets = Buckets(list(model.parameters()), group, 1)
        if announced:
            buckets.begin()
        model.layers[3](x).sum().backward()
        assert buckets.end(1.0, 1.0, lacks=True) is None
        model.zero_grad(set_to_none=True)
        buckets.begin()
        model(x).backward()
        expected = [p.grad.clone() for p in model.layers.parameters()]
        assert buckets.end(2.5, 3.0) == (2.5, 3.0)
        assert all(torch.equal(p.grad, e) for p, e in zip(model.layers.parameters(), expected, strict=True))
        assert distributed.Totals(group).end(1.0, 2.0, lacks=True) is None
    assert distributed.Sums().end(1.0, 2.0, lacks=True) is None


def test_a_group_tells_adds_and_gathers(tmp_path):
    with group_of_one(tmp_path) as group:
        for value in (None, "", "größer", {"a": [1, 2.5, None]}, 0.1 + 0.2):
            assert group.of_first(value) == value and group.of_all(value) == [value]
        assert group.added([0.1, 2.0]) == [0.1, 2.0] and group.first and group.parts(3) == range(3)
    assert ALONE.of_first(3) == 3 and ALONE.of_all(3) == [3] and ALONE.added((1.0,)) == [1.0]


ANSWERS = [
    TagAnswer(("a", "b"), ("X", "Y"), (0.5, 0.1)),
    ClassifyAnswer(("pos",), 0.25, {"pos": 0.25, "neg": 0.75}),
    RegressAnswer(1 / 3),
    TransduceAnswer("ab", ("a", "b"), -1.5, alignment=((0, 0.5), (1, 0.25)), calls=3),
    TransduceAnswer(""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_answers_of_several_processes_come_together_in_order(size):
    told = [as_plain(ANSWERS[rank::size]) for rank in range(size)]
    assert in_turns(told) == ANSWERS


def test_shares_in_files_are_put_together_again_and_a_lost_one_is_missed(tmp_path):
    whole = {"w": torch.arange(12.0).view(4, 3), "step": torch.tensor(5.0)}

    class Share(torch.Tensor):
        """What looks divided: its first dimension cut in three."""

        rank = 0

        def to_local(self) -> torch.Tensor:
            return whole["w"].chunk(3)[self.rank] if self.rank < 2 else torch.empty(0, 3)

        def full_tensor(self) -> torch.Tensor:
            return whole["w"]

    for rank in range(3):
        share = whole["w"].as_subclass(Share)
        share.rank = rank
        sharding.write(tmp_path, "weights", {**whole, "w": share}, Rank(rank, 3))
    assert sharding.files_of(tmp_path, "weights") == [f"weights-0000{r}-of-00003.safetensors" for r in range(3)]
    found = sharding.read(tmp_path, "weights")
    assert found.keys() == whole.keys() and all(torch.equal(found[name], whole[name]) for name in whole)
    (tmp_path / "weights-00001-of-00003.safetensors").unlink()
    with pytest.raises(RunError, match=r"weights-00001-of-00003\.safetensors cannot be read"):
        sharding.read(tmp_path, "weights")


@pytest.mark.long
def test_blocks_that_are_computed_again_end_with_the_same_weights_and_hold_less(runs, tmp_path):
    """Bit by bit, with dropout, also where copies of the model stand side by side."""
    changed = {"model.encoder.dropout": 0.3, "model.encoder.layers": 3, "machine.parts": 2}
    changed |= {"training.steps": 2, "training.evaluate_every": 2}
    held = {}
    for recompute in (True, False):
        settings = tiny("transduce", {**changed, "machine.recompute": recompute})

        def prepared(trainer: Trainer, recompute: bool = recompute) -> None:
            kept: list[int] = []
            batch = trainer._batch(trainer._updates(0)[0][0])
            trainer.model.train()
            with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
                trainer.model(batch)
            held[recompute] = sum(kept)

        quick(runs.data("transduce"), tmp_path / str(recompute), settings=settings, prepared=prepared)
    assert same_weights(tmp_path / "True", tmp_path / "False") and held[True] < 0.6 * held[False]


def test_the_command_line_and_the_training_meet_in_the_same_place():
    assert _launching.MEETING == distributed.MEETING


def test_a_run_of_one_part_can_be_gone_on_with_by_more_processes_only_in_more_parts(tmp_path):
    said: list[str] = []

    def prepared(trainer: Trainer) -> None:
        trainer.group, trainer.listener.said = Rank(0, 2), said.append
        trainer.stop.set()

    settings = tiny("tag", {"machine.parts": 1})
    source = data("tag", tmp_path / "data")
    quick(source, tmp_path / "run", settings=settings, prepared=lambda trainer: trainer.stop.set())
    quick(source, tmp_path / "run", settings=settings, resume=True, prepared=prepared)
    assert any("1 parts of an update cannot be divided among 2 processes: it is 2 from here on" in one for one in said)


# ------------------------------------------------------------------------------------------------ what can go wrong


def test_without_several_processes_in_the_environment_the_group_is_one(monkeypatch):
    for value in (None, "1"):
        monkeypatch.delenv("WORLD_SIZE", raising=False) if value is None else monkeypatch.setenv("WORLD_SIZE", value)
        with joined() as group:
            assert (group.rank, group.size, group.restarted) == (0, 1, False)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    with joined() as group:
        assert group.restarted


def test_an_environment_that_tells_half_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with (
        pytest.raises(HeadwayError, match="several processes train together, and the environment does not say how"),
        joined(),
    ):
        pass


def test_one_that_does_not_come_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(distributed, "ARRIVAL", timedelta(seconds=0.2))
    for name, value in {"WORLD_SIZE": "2", "RANK": "0", distributed.MEETING: str(tmp_path / "meeting")}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(LostProcess, match=r"process 0 of 2 waited .* minutes, and did not hear from 1"), joined():
        pass


def test_what_lost_processes_left_in_torchrun_s_store_is_not_taken_for_what_the_new_ones_say(tmp_path):
    store = dist.FileStore(str(tmp_path / "meeting"), 3)
    for left in ("hello/1", "hello/2", "welcome/lost", "default_pg/0"):
        store.set(left, "lost")
    with ThreadPoolExecutor(3) as pool:
        parts = list(pool.map(lambda rank: _of_round(tmp_path, rank), range(3)))
    assert len({part.get("who") for part in parts}) == 1 and not parts[0].check(["default_pg/0"])


def _of_round(folder: Path, rank: int) -> dist.Store:
    found = distributed._met(dist.FileStore(str(folder / "meeting"), 3), rank, 3)
    if rank == 0:
        found.set("who", "we")
    return found


@pytest.mark.parametrize(
    "text, lost",
    [
        ("[../gloo/pair.cc:553] Connection closed by peer [10.0.0.2]:39", "Connection closed by peer [10.0.0.2]:39"),
        ("NCCL error in: x.cpp:3. Check the logs", "NCCL error in: x.cpp:3"),
        ("Timed out waiting 1800000ms for recv operation to complete", "Timed out waiting 1800000ms"),
        ("The size of tensor a (3) must match the size of tensor b (4)", None),
    ],
)
def test_what_torch_says_of_a_lost_process_is_said_plainly_and_other_errors_are_left(text, lost, monkeypatch):
    found = distributed._lost(RuntimeError(text))
    assert (
        found is None
        if lost is None
        else found.startswith("another process of this training, or the way") and lost in found
    )


def test_threads_are_shared_and_devices_are_one_each(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr("headway.machine.cores", lambda: 6)
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    set_up(MachineSettings(device="cpu"))
    assert torch.get_num_threads() == 3
    torch.set_num_threads(before)
    assert device_among(torch.device("cpu")) == torch.device("cpu")
    with pytest.raises(UsageError, match="on CPUs or on NVIDIA's GPUs, not on mps"):
        device_among(torch.device("mps"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match="2 processes and 1 GPUs: each process needs a GPU of its own"):
        device_among(torch.device("cuda"))


def test_a_checkpoint_of_another_folder_is_refused(tmp_path):
    with pytest.raises(RunError, match="is not the folder that the first process writes: all machines must see it"):
        checkpoint._write_shares(tmp_path / "nowhere", [{}, {}, {}], Rank(1, 2))
