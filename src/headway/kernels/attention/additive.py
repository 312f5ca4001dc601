"""Additive scores, ours, in blocks: Σₐ wₐ tanh(qₐ + kₐ) without a tanh for every pair, and nothing of T × S × A kept.

With r = 1 / (1 + e²ᑫ e²ᵏ) a tanh is 1 − 2r, so exponentials are taken once for every token, and every pair costs a
product and a division: Σₐ wₐ tanh(qₐ + kₐ) = Σₐ wₐ − 2 Σₐ wₐ rₐ. The derivative of the tanh is 4 r (1 − r).
Source of the score: Bahdanau et al. 2015, appendix A.1.2.
"""

import itertools
import math
from collections.abc import Iterator

import torch
from torch import Tensor

from headway.kernels.attention import Engine, Request
from headway.kernels.attention._blocks import Block
from headway.kernels.attention._blockwise import Scores, blockwise, refuses, wide
from headway.scores import Score

ELEMENTS, ROWS, TILE = 2**16, 16, 2**19
"""Scores of a block, its queries where the rules allow them, and the numbers r that exist at once."""
FLAT = 40.0
"""Every q'ₐ and k'ₐ is held within ± this, so that exponentials are finite: exact unless both lie outside, opposed."""


class Additive(Engine):
    def refuses(self, request: Request) -> str | None:
        if request.score.is_dot_product or type(request.score).terms is Score.terms:
            return "the score is not a weighted sum of tanh(q' + k')"
        return refuses(request)

    def attention(self, request: Request) -> Tensor:
        terms = request.score.terms(request.q, request.k)
        return blockwise(request, Tanhs, terms, ELEMENTS, ROWS)


class Tanhs(Scores):
    """q' (B, H, T, A), k' (B, H, S, A), w (H, A); kept are e²ᑫ (B, H, A, T, 1), e²ᵏ (B, H, A, 1, S) and w."""

    costly = True

    def __init__(self, q: Tensor, k: Tensor, w: Tensor):
        self.q, self.k, self.w = q, k, w
        self.dq, self.dk = torch.zeros_like(q[..., 0]), torch.zeros_like(k[..., 0, :])
        self.dw = torch.zeros_like(w)
        self.space = q.new_empty(max(TILE, q.shape[2]))

    @staticmethod
    def keep(*inputs: Tensor) -> tuple[Tensor, ...]:
        q, k, w = (x.to(wide(inputs[0])) for x in inputs)
        q, k = (x.mT.clamp(-FLAT, FLAT).mul_(2).exp_().contiguous() for x in (q, k))
        return q.unsqueeze(-1), k.unsqueeze(-2), w

    def scores(self, block: Block) -> Tensor:
        scores = self.q.new_empty(block.shape)
        for head, into in self._heads(block, scores):
            w = self.w[head[1]]
            for rows, keys in self._tiles(block):
                r = self._r(head, block, rows, keys)
                into[rows, keys] = torch.mv(r.flatten(1).t(), w).view(r.shape[1:])
        return scores.mul_(-2).add_(self.w.sum(-1)[block.heads, None, None])

    def learn(self, block: Block, gradient: Tensor) -> None:
        self.dw[block.heads] += gradient.sum((0, 2, 3))[:, None]
        for head, given in self._heads(block, gradient):
            dq, dk, dw = self.dq[head][:, block.rows], self.dk[head][:, block.keys], self.dw[head[1]]
            for rows, keys in self._tiles(block):
                r, g = self._r(head, block, rows, keys), given[rows, keys].contiguous()
                dw.sub_(torch.mv(r.flatten(1), g.flatten()), alpha=2)
                of_tanh = r.addcmul_(r, r, value=-1).mul_(g)
                dq[:, rows] += of_tanh.sum(2)
                dk[:, keys] += of_tanh.sum(1)

    def gradients(self) -> tuple[Tensor, ...]:
        w = 4 * self.w[:, None]
        return self.dq.mT * w, self.dk.mT * w, self.dw

    def _r(self, head: tuple[int, int], block: Block, rows: slice, keys: slice) -> Tensor:
        """(A, t, s) 1 / (1 + e²ᑫ e²ᵏ)"""
        q, k = self.q[head][:, block.rows][:, rows], self.k[head][:, :, block.keys][:, :, keys]
        shape = len(q), q.shape[1], k.shape[2]
        return torch.mul(q, k, out=self.space[: math.prod(shape)].view(shape)).add_(1).reciprocal_()

    def _heads(self, block: Block, table: Tensor) -> Iterator[tuple[tuple[int, int], Tensor]]:
        """The heads of a block, and their part of its table."""
        for b, h in itertools.product(*(range(side.start, side.stop) for side in (block.batch, block.heads))):
            yield (b, h), table[b - block.batch.start, h - block.heads.start]

    def _tiles(self, block: Block) -> list[tuple[slice, slice]]:
        """The rows and keys of a block in parts of TILE numbers r."""
        t, s, A = *block.shape[2:], self.w.shape[1]
        across = min(s, max(1, len(self.space) // A))
        down = min(t, max(1, len(self.space) // (A * across)))
        rows, keys = ([slice(i, i + step) for i in range(0, size, step)] for size, step in ((t, down), (s, across)))
        return list(itertools.product(rows, keys))
