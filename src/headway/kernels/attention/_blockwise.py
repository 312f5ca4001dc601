"""Attention block by block, forward and backward, without ever holding the table of T × S.

A block of queries sees all its keys at once, so its weights are final, whatever the normalizer; backward, they are
computed again (Rabe & Staats 2021, "Self-attention Does Not Need O(n²) Memory"). Kept between the two are the inputs,
the output, and the seed of what was dropped.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from headway.kernels.attention import Request
from headway.kernels.attention._blocks import Block, Blocks
from headway.kernels.attention._weights import BY_HAND, Weights
from headway.kernels.dropout import drawn_seed, keep_mask

FEW = 2**22
"""Scores that take no more memory than may be kept of every layer: 16 MB."""


class Scores:
    """The scores of a block, and their gradient brought back to what they were made of."""

    costly = False
    "Whether they cost far more than all that follows, so that they are kept until backward where they are few."

    def __init__(self, *kept: Tensor):
        """What `keep` returned."""

    @staticmethod
    def keep(*inputs: Tensor) -> tuple[Tensor, ...]:
        """What is made of the inputs once, and kept until backward."""
        return inputs

    def scores(self, block: Block) -> Tensor:
        """(b, h, t, s) new, so that it may be overwritten."""
        raise NotImplementedError

    def learn(self, block: Block, gradient: Tensor) -> None:
        """Add what the gradient (b, h, t, s) of a block says of the inputs."""
        raise NotImplementedError

    def gradients(self) -> tuple[Tensor, ...]:
        """Of all inputs, when every block has been learned from."""
        raise NotImplementedError


class Products(Scores):
    """q · k; q (B, H, T, K) is scaled already, k (B, H, S, K)."""

    def __init__(self, q: Tensor, k: Tensor):
        self.q, self.k = q, k
        self.dq, self.dk = torch.zeros_like(q), torch.zeros_like(k, dtype=wide(k))

    def scores(self, block: Block) -> Tensor:
        return product(block.asking(self.q), block.asked(self.k).mT)

    def learn(self, block: Block, gradient: Tensor) -> None:
        gradient = gradient.to(self.q.dtype)
        block.asking(self.dq).copy_(product(gradient, block.asked(self.k)))
        add_product(block.asked(self.dk), gradient.mT, block.asking(self.q))

    def gradients(self) -> tuple[Tensor, ...]:
        return self.dq, self.dk


def wide(x: Tensor) -> torch.dtype:
    """What weights are computed in, and sums over many blocks."""
    return torch.promote_types(x.dtype, torch.float32)


def product(left: Tensor, right: Tensor) -> Tensor:
    """(b, h, m, n), (b, h, n, o) -> (b, h, m, o)"""
    return torch.bmm(left.flatten(0, 1), right.flatten(0, 1)).unflatten(0, left.shape[:2])


def add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """total += left · right, in place."""
    if total.dtype == left.dtype:
        total.view(-1, *total.shape[2:]).baddbmm_(left.flatten(0, 1), right.flatten(0, 1))
    else:  # products of half precision copy what is turned: the smaller of the two here
        total += product(right.mT, left.mT).mT


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is the same forward and backward."""

    blocks: Blocks
    scores: type[Scores]
    weights: Weights
    dropout: float
    remembers: bool
    "Whether scores are kept between the two, for they are few and cost more than anything else."

    def computed(
        self, scores: Scores, bias: Tensor | None, seed: int, known: list[tuple[Tensor | None, Tensor | None]]
    ) -> Iterator[tuple[Block, Tensor, Tensor | None, Tensor | float]]:
        """For each block (block, weights, 1 where one is kept, what a row's weights are to be multiplied with).

        known    scores and threshold of each block; empty at first, and the same list backward
        """
        generator = torch.Generator(self.blocks.like.device).manual_seed(seed) if self.dropout else None
        for number, block in enumerate(self.blocks):
            counts = block.of(self.blocks.counts)
            if number == len(known):
                alpha = self._alpha(scores, bias, block)
                known.append((alpha.clone() if self.remembers else None, self.weights.threshold(alpha, counts)))
            else:
                before = known[number][0]
                alpha = self._alpha(scores, bias, block) if before is None else before.clone()
            weights, factor = self.weights.weights(alpha, counts, known[number][1]), self.weights.factor(counts)
            factor, keep = 1.0 if factor is None else factor, None
            if self.dropout:
                keep, scale = keep_mask(weights, self.dropout, generator)
                keep, factor = keep.to(weights.dtype), factor * scale
            yield block, weights, keep, factor

    def _alpha(self, scores: Scores, bias: Tensor | None, block: Block) -> Tensor:
        """(b, h, t, s) the scores with what is added to them, minus infinity where may not be looked."""
        alpha = scores.scores(block)
        alpha = alpha.to(wide(alpha))
        if bias is not None:
            alpha += block.of(bias)
        self.blocks.hide(block, alpha)
        return alpha


class _Blockwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, recipe: Recipe, v: Tensor, bias: Tensor | None, *inputs: Tensor) -> Tensor:
        kept = recipe.scores.keep(*inputs)
        ctx.recipe, ctx.known, ctx.kinds = recipe, [], [x.dtype for x in inputs]
        ctx.seed = drawn_seed() if recipe.dropout else 0
        output = v.new_zeros(*recipe.blocks.shape[:3], v.shape[-1])
        for block, weights, keep, factor in recipe.computed(recipe.scores(*kept), bias, ctx.seed, ctx.known):
            if keep is not None:
                weights *= keep
            block.asking(output).copy_(product(weights.to(v.dtype), block.asked(v)) * factor)
        ctx.save_for_backward(v, bias, output, *kept)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        v, bias, output, *kept = ctx.saved_tensors
        recipe: Recipe = ctx.recipe
        scores = recipe.scores(*kept)
        dv = torch.zeros_like(v, dtype=wide(v))
        dbias = torch.zeros_like(bias, dtype=wide(bias)) if ctx.needs_input_grad[2] else None
        dots = (gradient * output).sum(-1, keepdim=True, dtype=wide(v))
        for block, weights, keep, factor in recipe.computed(scores, bias, ctx.seed, ctx.known):
            given = (block.asking(gradient) * factor).to(v.dtype)
            used = weights if keep is None else weights * keep
            add_product(block.asked(dv), used.to(v.dtype).mT, given)
            dweights = product(given, block.asked(v).mT).to(weights.dtype)
            if keep is not None:
                dweights *= keep
            dscores = recipe.weights.gradient(weights, dweights, block.asking(dots))
            if dbias is not None:
                part = block.of(dbias)
                part += dscores.sum_to_size(part.shape)
            scores.learn(block, dscores)
        learned = [dx.to(kind) for dx, kind in zip(scores.gradients(), ctx.kinds)]
        return None, dv.to(v.dtype), None if dbias is None else dbias.to(bias.dtype), *learned


def refuses(request: Request) -> str | None:
    """What no attention by blocks can take."""
    if type(request.normalizer) not in BY_HAND:
        return "it has no backward by hand for this normalizer"
    if torch.compiler.is_compiling():
        return "it is not compiled"
    return None


def blockwise(request: Request, scores: type[Scores], inputs: tuple[Tensor, ...], elements: int, fewest: int) -> Tensor:
    """(B, H, T, Kv) the attention of a request whose scores are made of these inputs.

    elements   how many numbers a block may have
    fewest     how many queries it has where the rules allow it
    """
    B, H, T, _ = request.q.shape
    blocks = Blocks(request.mask, (B, H, T, request.k.shape[2]), request.q, elements, fewest)
    few = scores.costly and math.prod(blocks.shape) <= FEW
    recipe = Recipe(blocks, scores, BY_HAND[type(request.normalizer)], request.dropout, few)
    with torch.autocast(request.q.device.type, enabled=False):
        return _Blockwise.apply(recipe, request.v.contiguous(), request.bias, *(x.contiguous() for x in inputs))
