"""Averaged weights: an exponential mean over the last part of training, better than any single moment of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from headway.training.sharding import divided_as, own


class Average:
    """An exponential mean of a model's weights over about `share` of all steps (Polyak & Juditsky 1992).

    At the beginning it reaches back over a tenth of the steps so far, so that it is never older than it needs to be.
    """

    def __init__(self, model: nn.Module, share: float, steps: int):
        self.share, self.horizon = share, max(1.0, share * steps)
        self.parameters: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        self.weights = [p.detach().clone() for p in self.parameters] if share else []

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step number `step` (from 1)."""
        if self.share:
            horizon = min(self.horizon, 1 + step / 10)
            torch._foreach_lerp_(
                [own(w) for w in self.weights], [own(p.detach()) for p in self.parameters], 1 / horizon
            )

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model have the averaged weights for a while."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for weight, parameter in zip(self.weights, self.parameters):
            here, there = own(weight), own(parameter.detach())
            kept = there.clone()
            there.copy_(here)
            here.copy_(kept)

    def state(self) -> dict[str, Tensor]:
        """The averaged weights, by number."""
        return {str(number): weight for number, weight in enumerate(self.weights)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from what `state` gave."""
        for number, weight in enumerate(self.weights):
            weight.copy_(divided_as(state[str(number)], weight))
