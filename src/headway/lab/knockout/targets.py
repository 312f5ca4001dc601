"""What can be switched off in a model: heads, mixers, feed-forward layers, whole layers, each with its place."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from headway.errors import UsageError, unknown
from headway.layers.knockout import WAYS, knocked_out
from headway.layers.mixers.attention import Attention
from headway.layers.norm import Residual
from headway.model import Model
from headway.tasks.transduce import Transduce

WHAT = ("heads", "mixers", "feedforward", "layers")


@dataclass(frozen=True)
class Target:
    """One thing to switch off.

    part      encoder, decoder, cross, draft, or draft cross
    layer     its number in the stack, from 0
    head      its number in the layer, None where it is no head
    heads     which heads of which attention give something else
    closed    what adds nothing
    """

    part: str
    layer: int
    head: int | None = None
    heads: Mapping[Attention, Sequence[int]] = field(default_factory=dict, compare=False)
    closed: tuple[Residual, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """As a person calls it."""
        return f"{self.part} layer {self.layer}" + ("" if self.head is None else f" head {self.head}")

    def out(self, how: str) -> AbstractContextManager[None]:
        """Inside, it is switched off."""
        return knocked_out(self.heads, how, self.closed)


def targets(model: Model, what: str, how: str) -> list[Target]:
    """Everything of this kind in a model, from the input on. Raises UsageError where there is nothing of it."""
    if what not in WHAT:
        raise UsageError(unknown("kind of part", what, WHAT))
    if how not in WAYS:
        raise UsageError(unknown("way to knock out", how, WAYS))
    if what == "feedforward" and how == "uniform":
        raise UsageError("a feed-forward layer looks at nothing that could be made uniform: take --how removed")
    found = [each for part, blocks in _stacks(model) for each in _of_stack(part, blocks, what, how)]
    if not found:
        wanted = (
            "no attention whose heads could be" if what == "heads" or how == "uniform" else f"no {what} that could be"
        )
        raise UsageError(f"this run has {wanted} knocked out; --what layers --how removed is for every run")
    return found


def _stacks(model: Model) -> Iterator[tuple[str, Any]]:
    yield "encoder", model.encoder.blocks
    if isinstance(model.task, Transduce):
        for name, writer in zip(("decoder", "draft"), model.task.writers):
            stack = getattr(writer, "stack", None)
            if stack is not None:
                yield name, stack.blocks


def _of_stack(part: str, blocks: Any, what: str, how: str) -> Iterator[Target]:
    for layer, block in enumerate(blocks):
        cross = "cross" if part == "decoder" else f"{part} cross"
        mixers = [(part, block.mixer, block.mixed)]
        if hasattr(block, "cross"):
            mixers.append((cross, block.cross, block.crossed))
        residuals = {name: each for name, each in block.named_children() if isinstance(each, Residual)}
        if what == "feedforward":
            yield Target(part, layer, closed=tuple(residuals[name] for name in residuals if name.startswith("fed")))
        elif what == "layers":
            yield from _whole(part, layer, [mixer for _, mixer, _ in mixers], tuple(residuals.values()), how)
        else:
            for name, mixer, residual in mixers:
                if what == "mixers":
                    yield from _whole(name, layer, [mixer], (residual,), how)
                elif isinstance(mixer, Attention):
                    for head in range(mixer.heads):
                        yield Target(name, layer, head, {mixer: (head,)})


def _whole(part: str, layer: int, mixers: list[Any], residuals: tuple[Residual, ...], how: str) -> Iterator[Target]:
    """All of it removed, or all heads of its attentions made uniform; nothing where it has none."""
    if how == "removed":
        yield Target(part, layer, closed=residuals)
        return
    heads = {mixer: range(mixer.heads) for mixer in mixers if isinstance(mixer, Attention)}
    if heads:
        yield Target(part, layer, heads=heads)
