"""Heads of an attention that give something else than they would: what a knockout puts in their place."""

from dataclasses import dataclass

import torch
from torch import Tensor

from headway.functional.attention import softmax
from headway.kernels.attention import Request


@dataclass(frozen=True, slots=True)
class Knocked:
    """Some heads of one attention, by number, made `uniform` (all that may be looked at alike) or `removed` (zeros)."""

    heads: tuple[int, ...]
    how: str

    def __call__(self, output: Tensor, request: Request) -> Tensor:
        """(B, H, T, Kv) what the heads gave -> the same, and something else from those that are knocked out."""
        chosen = torch.zeros(output.shape[1], 1, 1, dtype=torch.bool, device=output.device)
        chosen[list(self.heads)] = True
        return torch.where(chosen, evenly(request) if self.how == "uniform" else torch.zeros_like(output), output)


def evenly(request: Request) -> Tensor:
    """(B, H, T, Kv) by the definition with constant scores and softmax: every weight 1 / n of n that are allowed."""
    scores = request.q.new_zeros(*request.q.shape[:3], request.k.shape[2])
    return request.normalizer.finish(softmax(scores, request.table()) @ request.v)
