"""A decoder stack for writing: the same function as `DecoderStack` with a state, in fewer and larger operations.

A step of one position is bound by reading the weights and by the number of operations, not by arithmetic. So q, k and v
come from one product, keys and values go to the cache in one copy, and every matrix lies as the product reads it best.
The copies are made once and hold as long as the weights do not change.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headway.batch import Memory
from headway.functional.masks import Mask
from headway.kernels.linear import Packed
from headway.layers.decoder import DecoderBlock, DecoderStack
from headway.layers.feedforward import FeedForward
from headway.layers.mixers import Mixer
from headway.layers.mixers.attention import Attention
from headway.layers.norm import Residual
from headway.normalizers.softmax import Softmax

GROWTH = 32
"""Positions for which a cache has room at first; then it doubles."""


def refuses(stack: DecoderStack) -> str | None:
    """Why a stack cannot be frozen; None where it can."""
    for block in stack.blocks:
        if any(residual.closed for residual in (block.mixed, block.crossed, block.fed)):
            return "a layer is knocked out"
        for mixer in (block.mixer, block.cross):
            if not isinstance(mixer, Attention):
                return f"{type(mixer).__name__} is no attention"
            if not mixer.score.is_dot_product:
                return "a score is not a dot product of changed queries and keys"
            if not isinstance(mixer.normalizer, Softmax):
                return "a normalizer is not softmax"
            if mixer.gate is not None:
                return "an attention has a gate"
            if mixer.knocked is not None:
                return "a head is knocked out"
            if mixer.window is not None and mixer is block.mixer:
                return "an attention has a window"
    return None


def side_by_side(*layers: nn.Linear) -> Packed:
    """Several linear layers of one input as one product."""
    return Packed(torch.cat([layer.weight for layer in layers]), torch.cat([layer.bias for layer in layers]))


@dataclass
class FrozenState:
    """What is kept between steps.

    own        for each block (2, B, H, room, K): keys and values of the positions written so far
    source     for each block (2, B, H, S, K): keys and values of the memory
    hidden     (B, 1, 1, S) what is added to the scores of the source: minus infinity at padding; None without any
    length     positions written so far
    """

    own: list[Tensor]
    source: list[Tensor]
    hidden: Tensor | None
    length: int = 0

    def select(self, rows: Tensor, same_sources: bool = False) -> None:
        """Go on with some rows, in the order asked; `same_sources` where every row keeps its source (a beam)."""
        self.own = [cache.index_select(1, rows) for cache in self.own]
        if not same_sources:
            self.source = [cache.index_select(1, rows) for cache in self.source]
            self.hidden = None if self.hidden is None else self.hidden.index_select(0, rows)

    def crop(self, length: int) -> None:
        """Forget the positions from `length` on."""
        self.length = min(self.length, length)

    def make_room(self, end: int) -> None:
        """Let every cache hold `end` positions."""
        room = self.own[0].shape[3]
        if end > room:
            self.own = [F.pad(cache, (0, 0, 0, max(end, 2 * room) - room)) for cache in self.own]


class FrozenStack:
    """The function of a stack in evaluation mode, with its weights as they are now."""

    def __init__(self, stack: DecoderStack):
        self.stack = stack
        self.blocks = [_FrozenBlock(block) for block in stack.blocks]

    def start(self, memory: Memory) -> FrozenState:
        """The state before anything is written."""
        mask, S = Mask(memory.keys), memory.x.shape[1]
        hidden = mask.summand(1, S, memory.x)
        source = [block.cross.read(memory.x) for block in self.blocks]
        if hidden is not None and memory.keys is not None and mask.has_empty_rows(1, S, memory.x.device):
            # softmax over minus infinity only is NaN: a source without elements is looked at, and holds zeros
            empty = ~memory.keys.any(-1)
            hidden = hidden.masked_fill(empty[:, None, None, None], 0.0)
            source = [both.masked_fill(empty[:, None, None, None], 0.0) for both in source]
        own = [cache.new_empty(*cache.shape[:3], GROWTH, cache.shape[4]) for cache in source]
        return FrozenState(own, source, hidden)

    def __call__(self, y: Tensor, state: FrozenState) -> Tensor:
        """(B, T, D) vectors of the positions that follow those written -> (B, T, D); brings the state up to date."""
        stack, offset = self.stack, state.length
        B, T, D = y.shape
        end = offset + T
        state.make_room(end)
        position = stack.position
        added = position.bias(T, end, offset)
        if T > 1:
            causal = Mask(causal=True, offset=offset).summand(T, end, y)
            assert causal is not None
            added = causal if added is None else added + causal
        x = position.add(y, offset).reshape(B * T, D)
        for block, own, source in zip(self.blocks, state.own, state.source, strict=True):
            x = block(x, B, own, source, state.hidden, added, position, offset)
        state.length = end
        return stack.norm(x).view(B, T, D)


class _FrozenAttention:
    def __init__(self, attention: Mixer, cross: bool):
        assert isinstance(attention, Attention)
        self.score, self.heads, self.size = attention.score, attention.heads, attention.head_size
        self.asks = (
            side_by_side(attention.query) if cross else side_by_side(attention.query, attention.key, attention.value)
        )
        self.reads = side_by_side(attention.key, attention.value)
        self.output = side_by_side(attention.output)

    def read(self, memory: Tensor) -> Tensor:
        """(B, S, D) -> (2, B, H, S, K) keys and values of a memory."""
        B, S, D = memory.shape
        both = self.reads(memory.reshape(B * S, D)).view(B, S, 2, self.heads, self.size)
        keys, values = both.permute(2, 0, 3, 1, 4)
        keys = self.score.keys(keys)
        return torch.stack([self.score.features(keys, keys)[1], values])

    def ask(self, x: Tensor, B: int) -> Tensor:
        """(B T, D) -> (1 or 3, B, H, T, K): queries, and in self-attention keys and values of the same positions."""
        asked = self.asks(x)
        return asked.view(B, len(x) // B, -1, self.heads, self.size).permute(2, 0, 3, 1, 4)

    def answer(self, q: Tensor, both: Tensor, added: Tensor | None, scale: float) -> Tensor:
        """Scores, weights, weighted sum, output matrix: -> (B T, D)."""
        B, H, T, K = q.shape
        keys, values = both.flatten(1, 2)  # (B H, S, K) each
        # beta 0: the first is not looked at; so the scale costs no operation of its own
        scores = torch.baddbmm(q.new_empty(()), q.reshape(B * H, T, K), keys.mT, beta=0, alpha=scale)
        if added is not None:
            scores = (scores.view(B, H, T, keys.shape[1]) + added).flatten(0, 1)
        found = torch.bmm(scores.softmax(-1), values)
        return self.output(found.view(B, H, T, K).transpose(1, 2).reshape(B * T, H * K))


class _FrozenBlock:
    def __init__(self, block: DecoderBlock):
        self.mixed, self.crossed, self.fed = (_FrozenResidual(each) for each in (block.mixed, block.crossed, block.fed))
        self.own, self.cross = _FrozenAttention(block.mixer, False), _FrozenAttention(block.cross, True)
        self.feedforward = _FrozenFeedForward(block.feedforward)

    def __call__(
        self,
        x: Tensor,
        B: int,
        own: Tensor,
        source: Tensor,
        hidden: Tensor | None,
        added: Tensor | None,
        position: Any,
        offset: int,
    ) -> Tensor:
        asked = self.own.ask(self.mixed.before(x), B)
        q, k, v = asked
        own_keys, end = k, offset + k.shape[2]
        q, k = position.turn(self.own.score.queries(q), offset), position.turn(self.own.score.keys(k), offset)
        q, k, scale = self.own.score.features(q, k)
        if k is own_keys:
            own[:, :, :, offset:end] = asked[1:]
        else:
            own[0, :, :, offset:end], own[1, :, :, offset:end] = k, v
        x = self.mixed.after(x, self.own.answer(q, own[:, :, :, :end], added, scale))
        (q,) = self.cross.ask(self.crossed.before(x), B)
        q = self.cross.score.queries(q)
        q, _, scale = self.cross.score.features(q, q)
        x = self.crossed.after(x, self.cross.answer(q, source, hidden, scale))
        return self.fed.after(x, self.feedforward(self.fed.before(x)))


class _FrozenFeedForward:
    def __init__(self, layer: FeedForward):
        self.activation = layer.activation
        self.inner, self.outer = side_by_side(layer.inner), side_by_side(layer.outer)
        self.gate = side_by_side(layer.gate) if layer.activation == "swiglu" else None

    def __call__(self, x: Tensor) -> Tensor:
        h = self.inner(x)
        if self.gate is not None:
            return self.outer(F.silu(self.gate(x)) * h)
        return self.outer(h.relu_() if self.activation == "relu" else F.gelu(h))


class _FrozenResidual:
    """Add & norm whose parts are looked up once: a step calls for them more often than for products."""

    def __init__(self, residual: Residual):
        norm, self.pre = residual.norm, residual.pre
        assert isinstance(norm, (nn.LayerNorm, nn.RMSNorm))
        shape, weight = list(norm.normalized_shape), norm.weight
        if isinstance(norm, nn.LayerNorm):
            bias, eps = norm.bias, norm.eps
            self.norm = lambda x: torch.layer_norm(x, shape, weight, bias, eps)
        else:
            self.norm = lambda x: torch.rms_norm(x, shape, weight, norm.eps)

    def before(self, x: Tensor) -> Tensor:
        return self.norm(x) if self.pre else x

    def after(self, x: Tensor, update: Tensor) -> Tensor:
        x = update.add_(x)
        return x if self.pre else self.norm(x)
