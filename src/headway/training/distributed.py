"""Several processes that train one model: each works on its parts of every update, and what they found is added.

Data parallelism with exact sums (Li et al. 2020, PyTorch Distributed): the gradients of the loss's sum and the count of
what it is a sum of are added over all processes and divided once, so an update is the same however it is divided. Each
process reads the whole plan of an epoch, which is a function of (seed, epoch), and takes every so many rows of every
batch: no row is read twice or left out, whoever comes and goes.
"""

import contextlib
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous

from headway.errors import HeadwayError, LostProcess

ARRIVAL = timedelta(minutes=10)
"""How long processes wait for each other to come."""
PREPARATION = timedelta(days=2)
"""How long they wait for the first one to read and prepare the data."""
SILENCE = timedelta(minutes=30)
"""How long they wait for each other while they train."""
BUCKET = 25 << 20
"""Bytes of gradients that travel together: enough to use the wire, few enough to leave before backward has ended."""
MEETING = "HEADWAY_MEETING"
"""The environment variable that names the file by which processes of one machine find each other; no port is opened."""


class Sums:
    """What an update found: gradients in the parameters, the loss's sum, the count. Of one process they are whole."""

    def begin(self) -> None:
        """The last backward pass of the update follows."""

    def end(self, total: float, count: float, lacks: bool = False) -> tuple[float, float] | None:
        """(loss sum, count) of all processes; the parameters hold the gradients of all of them.

        lacks    memory was out in this process; then all of them get None, and gradients that are worth nothing
        """
        return None if lacks else (total, count)


class Group:
    """The processes that train together. This is the group of one: all is done here.

    rank       the number of this process, from 0
    size       how many there are
    restarted  whether they were started again after one of them was lost
    """

    rank, size = 0, 1

    def __init__(self, restarted: bool = False):
        self.restarted = restarted

    @property
    def first(self) -> bool:
        """Whether this is the process that writes, speaks and decides."""
        return self.rank == 0

    def parts(self, number: int) -> range:
        """Which of so many parts of an update are this process's."""
        return range(self.rank, number, self.size)

    def of_first(self, value: Any) -> Any:
        """The first process's value, in every process; anything that JSON can hold."""
        return value

    def of_all(self, value: Any) -> list[Any]:
        """Every process's value, by rank, in every process; anything that JSON can hold."""
        return [value]

    def added(self, numbers: Sequence[float]) -> list[float]:
        """These numbers, each summed over all processes."""
        return list(numbers)

    def wait(self) -> None:
        """Until every process is here."""

    def same(self, model: nn.Module) -> None:
        """Give every process the weights of the first."""

    def sums(self, model: nn.Module) -> Sums:
        """What adds up the updates of a model whose weights every process holds whole."""
        return Sums()

    def totals(self) -> Sums:
        """What adds up losses and counts alone, where the gradients are added elsewhere."""
        return Sums()


ALONE = Group()


class Processes(Group):
    """Several processes, joined by torch.distributed: gloo between CPUs, NCCL between GPUs."""

    def __init__(self, restarted: bool = False):
        super().__init__(restarted)
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.training: Any = dist.new_group(timeout=SILENCE)
        self.restarted = self.added([float(restarted)])[0] > 0  # torchrun counts on the machine that lost one

    def of_first(self, value: Any) -> Any:
        content = _bytes_of(value) if self.first else torch.empty(0, dtype=torch.uint8)
        length = torch.tensor([len(content)])
        dist.broadcast(length, 0)
        content = content if self.first else torch.empty(int(length), dtype=torch.uint8)
        dist.broadcast(content, 0)
        return _value_of(content)

    def of_all(self, value: Any) -> list[Any]:
        content = _bytes_of(value)
        lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        dist.all_gather(lengths, torch.tensor([len(content)]), group=self.training)
        longest = max(int(length) for length in lengths)
        padded = torch.zeros(longest, dtype=torch.uint8)
        padded[: len(content)] = content
        found = [torch.empty(longest, dtype=torch.uint8) for _ in range(self.size)]
        dist.all_gather(found, padded, group=self.training)
        return [_value_of(one[: int(length)]) for one, length in zip(found, lengths, strict=True)]

    def added(self, numbers: Sequence[float]) -> list[float]:
        found = torch.tensor(numbers, dtype=torch.float64)
        dist.all_reduce(found, group=self.training)
        return found.tolist()

    def wait(self) -> None:
        self.added([0.0])

    def same(self, model: nn.Module) -> None:
        for tensor in (*model.parameters(), *model.buffers()):
            dist.broadcast(tensor.detach(), 0, group=self.training)

    def sums(self, model: nn.Module) -> Sums:
        return Buckets([p for p in model.parameters() if p.requires_grad], self)

    def totals(self) -> Sums:
        return Totals(self)


class Totals(Sums):
    """Adds the loss's sums and the counts of all processes."""

    def __init__(self, group: Group):
        self.group = group

    def end(self, total: float, count: float, lacks: bool = False) -> tuple[float, float] | None:
        total, count, lacking = self.group.added([total, count, float(lacks)])
        return None if lacking else (total, count)


class Buckets(Sums):
    """Adds the gradients of all processes, bucket after bucket, while backward still works on earlier layers.

    Buckets are filled from the last parameter to the first, about the order in which backward comes by them, and leave
    in this order in every process, whoever is ready first.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], group: Processes, size: int = BUCKET):
        self.parameters, self.group = parameters, group
        self.buckets = _buckets(parameters, size)
        self._of = {id(p): number for number, bucket in enumerate(self.buckets) for p in bucket}
        self._flat: list[Tensor] = []
        self._work: list[Any] = []
        self._waiting: list[int] | None = None
        for parameter in parameters:
            parameter.register_post_accumulate_grad_hook(self._ready)

    def begin(self) -> None:
        self._waiting = [len(bucket) for bucket in self.buckets]

    def end(self, total: float, count: float, lacks: bool = False) -> tuple[float, float] | None:
        self._waiting = None
        used = [float(p.grad is not None) for p in self.parameters]
        while len(self._flat) < len(self.buckets):
            self._leave()
        total, count, lacking, *used = self.group.added([total, count, float(lacks), *used])
        for work in self._work:
            work.wait()
        anywhere = {id(p) for p, number in zip(self.parameters, used, strict=True) if number}
        for bucket, flat in zip(self.buckets, self._flat, strict=True):
            for parameter, summed in zip(bucket, flat.split([p.numel() for p in bucket]), strict=True):
                parameter.grad = summed.view_as(parameter) if id(parameter) in anywhere else None
        self._flat, self._work = [], []
        return None if lacking else (total, count)

    def _ready(self, parameter: Tensor) -> None:
        """The gradient of a parameter is complete: its bucket may leave, when those before it have."""
        if self._waiting is None:
            return
        self._waiting[self._of[id(parameter)]] -= 1
        while len(self._flat) < len(self.buckets) and self._waiting[len(self._flat)] == 0:
            self._leave()

    def _leave(self) -> None:
        bucket = self.buckets[len(self._flat)]
        with torch.no_grad():
            flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in bucket])
        self._flat.append(flat)
        self._work.append(dist.all_reduce(flat, group=self.group.training, async_op=True))


def _buckets(parameters: Sequence[nn.Parameter], size: int) -> list[list[nn.Parameter]]:
    """The parameters, last ones first, in buckets of about so many bytes, each of one type of number."""
    found: list[list[nn.Parameter]] = []
    held = 0
    for parameter in reversed(parameters):
        if not found or held >= size or found[-1][0].dtype != parameter.dtype:
            found.append([])
            held = 0
        found[-1].append(parameter)
        held += parameter.numel() * parameter.element_size()
    return found


# ----------------------------------------------------------------------------------------------------- coming together


@contextlib.contextmanager
def joined() -> Iterator[Group]:
    """The group that the environment tells of, as torchrun and `headway train --processes` do; else that of one.

    Raises LostProcess where one of them does not come or is lost.
    """
    restarted = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield Group(restarted)
        return
    try:
        _join()
        yield Processes(restarted)
    except RuntimeError as error:
        if (lost := _lost(error)) is None:
            raise
        raise LostProcess(lost) from error
    finally:
        if dist.is_initialized():
            with contextlib.suppress(RuntimeError):
                dist.destroy_process_group()


def _join() -> None:
    """Meet the others. Raises LostProcess where one does not come."""
    meeting = os.environ.get(MEETING)
    try:
        rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        store, rank, size = next(rendezvous(f"file://{meeting}" if meeting else "env://", rank, size, timeout=ARRIVAL))
    except (KeyError, ValueError) as error:
        raise HeadwayError(
            f"WORLD_SIZE says that several processes train together, and the environment does not say how: "
            f"{_first_line(error)}; start them by torchrun, or by headway train --processes"
        ) from error
    store = _met(store, rank, size)
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PREPARATION)


def _met(store: dist.Store, rank: int, size: int) -> dist.Store:
    """A part of the store that these processes alone use. Raises LostProcess where one does not come.

    torchrun's store outlives the processes that it begins again, and what the lost ones left there, their addresses
    among it, must not be taken for what the new ones say. So each greets by a new name, and the first answers that.
    """
    me = uuid4().hex
    if rank > 0:
        store.set(f"hello/{rank}", me)
        try:
            store.wait([f"welcome/{me}"], ARRIVAL)
        except RuntimeError as error:
            raise _did_not_come(rank, size, [0]) from error
        together = store.get(f"welcome/{me}").decode()
        store.set(f"{together}/{rank}", "here")
        return dist.PrefixStore(together, store)
    until, missing = time.monotonic() + ARRIVAL.total_seconds(), [*range(1, size)]
    while missing:
        for other in missing:
            if store.check([f"hello/{other}"]):
                store.set(f"welcome/{store.get(f'hello/{other}').decode()}", me)
        missing = [other for other in missing if not store.check([f"{me}/{other}"])]
        if missing and time.monotonic() > until:
            raise _did_not_come(rank, size, missing)
        time.sleep(0.02 if missing else 0)
    return dist.PrefixStore(me, store)


def _did_not_come(rank: int, size: int, missing: Sequence[int]) -> LostProcess:
    named = ", ".join(map(str, missing[:8])) + (", …" if len(missing) > 8 else "")
    return LostProcess(f"process {rank} of {size} waited {ARRIVAL.total_seconds() / 60:.3g} minutes, and did not hear "
                       f"from {named}")  # fmt: skip


LOST = re.compile(
    r"connection (closed|reset|refused)|broken pipe|timed out|timeout|unreachable|no route to host|failed to connect"
    r"|gloo|nccl",
    re.IGNORECASE,
)
"""What torch says where a process, or the way to it, is gone; it has no common class for that."""


def _lost(error: RuntimeError) -> str | None:
    """What a person should know of an error that another process's end has caused; None for any other error."""
    if not isinstance(error, dist.DistError) and not LOST.search(str(error)):
        return None
    return f"another process of this training, or the way to it, was lost: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return re.sub(r"^\[\S+?\] ", "", line).partition(". ")[0]  # without the place in torch's source, and its advice


def _bytes_of(value: Any) -> Tensor:
    return torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)


def _value_of(content: Tensor) -> Any:
    return json.loads(bytes(content.tolist()))
