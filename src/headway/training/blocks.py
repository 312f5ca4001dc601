"""How the blocks of a model run while it learns: their insides computed again, or compiled.

Activation checkpointing (Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost): a block keeps its input
alone; backward computes the rest again, with the same random numbers. The memory of activations falls from everything
inside N blocks to N inputs and the inside of one block; the work grows by one forward pass.

Compiled is each block by itself: those of one stack are alike and share one program, which takes every length, so it is
made once and not N times. What lies between the blocks and the loss depends on values, and stays with torch.
"""

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from headway.kernels.attention import ENGINES, engine_named
from headway.kernels.dropout import drawn_from, generator_for

Contexts = tuple[contextlib.AbstractContextManager[None], contextlib.AbstractContextManager[None]]


def recompute_blocks(model: nn.Module) -> None:
    """Let every block of every stack keep its input alone."""
    for block in _blocks(model):
        block.forward = partial(recomputed, block.forward)


def compile_blocks(model: nn.Module) -> None:
    """Let torch.compile make a program of every block, for where gradients will be asked for."""
    logging.getLogger("torch._dynamo").setLevel(logging.ERROR)  # it tells of all that it leaves to Python
    warnings.filterwarnings("ignore", category=UserWarning, module=r"torch\._dynamo")
    for name in ENGINES.names():
        engine_named(name)  # made before: a compiler cannot follow what is imported on the way
    for block in _blocks(model):
        program = torch.compile(block.forward, dynamic=True)  # no two batches are of one length
        block.forward = partial(_learning, program, block.forward)


def _blocks(model: nn.Module) -> Iterator[Any]:
    for stack in model.modules():
        blocks = getattr(stack, "blocks", None)
        if isinstance(blocks, nn.ModuleList):
            yield from blocks


def _learning(program: Callable[..., Any], plain: Callable[..., Any], *inputs: Any) -> Any:
    return (program if torch.is_grad_enabled() else plain)(*inputs)


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
