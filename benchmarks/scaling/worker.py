"""One of the processes that are measured: a line of JSON on its input is a turn, a line on its output what it took.

python -m benchmarks.scaling.worker '{"size": "small", "core": 0, "tokens": 4096, "precision": "float32"}'
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist

from benchmarks.speed.training import SIZES, batches, ours
from headway.machine import peak_memory, set_up
from headway.training.average import Average
from headway.training.blocks import compile_blocks, recompute_blocks
from headway.training.distributed import Group, joined
from headway.training.loop import precision
from headway.training.optimizers import OPTIMIZERS
from headway.training.replicas import Replicas
from headway.training.settings import MachineSettings
from headway.training.sharding import norm_of


class Worker:
    """Makes updates as the training loop does, of random pairs; of several processes each works on its part."""

    def __init__(self, asked: dict[str, Any], group: Group):
        machine = MachineSettings(threads=asked.get("threads", 1), precision=asked["precision"], device=asked["device"])
        self.device = set_up(machine)
        self.group, self.model = group, ours(*SIZES[asked["size"]]).train().to(self.device)
        if asked.get("compile"):
            compile_blocks(self.model)
        if asked.get("recompute"):
            recompute_blocks(self.model)
        parts = asked.get("parts", 1)
        self.replicas = Replicas(self.model, parts, lambda: precision(machine, self.device), parts > 1)
        self.sums = group.sums(self.model)
        self.optimizers = OPTIMIZERS.build(OPTIMIZERS.choose("adamw")).build(self.model)
        self.average = Average(self.model, 0.03, 1000)
        number = round(parts * group.size * asked.get("fewer", 1))  # fewer tokens: the first of more parts
        self.data = [
            [part.to(self.device) for part in made[: parts * group.size]] for made in batches(self.model, number)
        ]
        self.program = peak_memory() or 0
        self.step = 0

    def updates(self, number: int) -> dict[str, Any]:
        """So many updates: seconds of all, of the passes and of what follows the sums, tokens, and the peak."""
        passes = tokens = after = 0.0
        begin = time.perf_counter()
        for _ in range(number):
            parts = self.data[self.step % len(self.data)]
            start = time.perf_counter()
            mine = [([parts[part]], part) for part in self.group.parts(len(parts))]
            found = self.replicas.gradients(mine, self.sums.begin)
            self._wait()
            passes += time.perf_counter() - start
            _, count = self.sums.end(*found)
            tokens += count
            start = time.perf_counter()
            self._apply(count)
            self._wait()
            after += time.perf_counter() - start
        seconds = time.perf_counter() - begin
        peak = torch.cuda.max_memory_allocated() if self.device.type == "cuda" else peak_memory()
        return {"seconds": seconds, "passes": passes, "after": after, "tokens": tokens, "updates": number, "peak": peak}

    def _apply(self, count: float) -> None:
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        torch._foreach_mul_(gradients, 1 / count)
        torch._foreach_mul_(gradients, torch.clamp(1 / (norm_of(gradients) + 1e-6), max=1.0))
        for optimizer in self.optimizers:
            for settings in optimizer.param_groups:
                settings["lr"] = 1e-4
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.average.update(self.step)

    def sum_of(self, size: int, times: int = 10) -> dict[str, float]:
        """Seconds of the sum of so many bytes over all processes."""
        flat = torch.ones(size // 4, device=self.device)
        dist.all_reduce(flat)
        begin = time.perf_counter()
        for _ in range(times):
            dist.all_reduce(flat)
        self._wait()
        return {"seconds": (time.perf_counter() - begin) / times}

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def main() -> None:
    asked = json.loads(sys.argv[1])
    if asked.get("core") is not None:
        os.sched_setaffinity(0, {asked["core"]})
    with joined() as group:
        worker = Worker(asked, group)
        parameters = sum(p.numel() for p in worker.model.parameters())
        _tell({"parameters": parameters, "program": worker.program})
        turns: dict[str, Callable[[int], dict[str, Any]]] = {"updates": worker.updates, "sum": worker.sum_of}
        for line in sys.stdin:
            ((what, how_much),) = json.loads(line).items()
            _tell(turns[what](how_much))


def _tell(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main()
