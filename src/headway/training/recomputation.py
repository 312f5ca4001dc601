"""Activation checkpointing (Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost).

A block keeps its input alone; backward computes the rest again, with the same random numbers. The memory of activations
falls from everything inside N blocks to N inputs and the inside of one block; the work grows by one forward pass.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from headway.kernels.dropout import drawn_from, generator_for

Contexts = tuple[contextlib.AbstractContextManager[None], contextlib.AbstractContextManager[None]]


def recompute_blocks(model: nn.Module) -> None:
    """Let every block of every stack keep its input alone."""
    for stack in model.modules():
        blocks = getattr(stack, "blocks", None)
        if isinstance(blocks, nn.ModuleList):
            for block in blocks:
                block.forward = partial(recomputed, block.forward)


def recomputed(f: Callable[..., Any], *inputs: Any) -> Any:
    """f(*inputs), of which only the inputs are kept where gradients will be asked for."""
    if not torch.is_grad_enabled():
        return f(*inputs)
    return checkpoint(f, *inputs, use_reentrant=False, context_fn=_same_draws)


def _same_draws() -> Contexts:
    """(what f runs in, what it runs in again): the second draws what the first drew."""
    generator = generator_for(torch.empty(0))
    if generator is None:  # torch's own, whose state `checkpoint` keeps
        return contextlib.nullcontext(), contextlib.nullcontext()
    return contextlib.nullcontext(), _drawn_again(generator.get_state())


@contextlib.contextmanager
def _drawn_again(state: torch.Tensor) -> Iterator[None]:
    with drawn_from(0):
        generator = generator_for(torch.empty(0))
        assert generator is not None
        generator.set_state(state)
        yield
