"""Models with compiled blocks beside the same ones without, in a process whose functions nothing wraps.

python compiling.py [[{}, "tag"], [{"norm": "rms"}, {"kind": "transduce", "decoder": "ctc"}]]    encoder, task
"""

import copy
import json
import sys
import warnings
from typing import Any

import numpy as np
import torch
from torch._dynamo.testing import CompileCounterWithBackend
from torch._dynamo.utils import counters

from building import shape, stirred
from comparing import close
from headway.batch import Batch
from headway.decoders import TargetSizes
from headway.inputs import text
from headway.model import Model, ModelSettings
from headway.training.blocks import compile_blocks

BATCHES = [4, 7, 2], [9, 3, 5, 6], [5, 8], [11, 6, 4, 3, 10]
"""Lengths of the rows of one batch after another."""
SIZES: dict[str, dict[str, Any]] = {
    "tag": {"labels": 5, "bio": False},
    "transduce": {"sizes": TargetSizes(13, 1.0, 12, shared=True), "metrics": ("chrf",)},
}


def batch(made: Model, task: str, lengths: list[int]) -> Batch:
    rows = [np.array([4 + (5 * i + n) % 9 for i in range(n)], np.int32) for n in lengths]
    targets = [row % 5 if task == "tag" else row[: n // 2 + 1] for n, row in zip(lengths, rows, strict=True)]
    return Batch(text.collate(rows, None), made.task.collate(targets), tuple(range(len(rows))))


def learned(model: Model, given: Batch) -> list[torch.Tensor]:
    """The loss and the gradients."""
    torch.manual_seed(1)
    model.zero_grad()
    loss = model(given).total
    loss.backward()
    return [loss.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)]


def programs(encoder: dict[str, Any], task: Any) -> int:
    """How many are made for all batches; fails where losses, gradients or the way are not the plain ones."""
    torch._dynamo.reset()
    counters.clear()
    usual, counted = torch.compile, CompileCounterWithBackend("eager")
    name = task if isinstance(task, str) else task["kind"]
    plain = stirred(Model(ModelSettings(encoder=shape(**encoder), task=task), text.TextSizes(13), SIZES[name]), 0)
    compiled = copy.deepcopy(plain.train())
    torch.compile = lambda f, **how: usual(f, backend=counted, **how)
    compile_blocks(compiled)
    torch.compile = usual
    for lengths in BATCHES:
        given = batch(plain, name, lengths)
        for one, other in zip(learned(compiled, given), learned(plain, given), strict=True):
            close(one, other)
    assert not counters["graph_break"], dict(counters["graph_break"])
    return counted.frame_count


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    print(json.dumps([programs(*case) for case in json.loads(sys.argv[1])]))
