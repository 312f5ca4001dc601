"""N -> 1: a number for the whole, learned in units of the training part's spread and answered in its own unit."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from headway.batch import Loss, Memory, Part
from headway.functional.losses import absolute_error, squared_error
from headway.kernels.dropout import dropout
from headway.layers.encoder import EncoderSettings
from headway.layers.readout import Pooling, Readout
from headway.search import Search
from headway.settings import Branch, Names, Rate
from headway.tasks import Task


class Settings(Branch):
    pooling: Pooling = "mean"
    "How the vectors become one: their mean, their sum, their maximum, a learned weighted mean, or the first."
    loss: Literal["squared", "absolute"] = "squared"
    "What is made small: the squared error, to which one far off means much, or the absolute one, which mae measures."
    dropout: Rate | None = None
    "Share of the pooled vector that is dropped in training; the encoder's dropout where none is given."
    metrics: Names | None = None
    "What it is measured by, the first decides; mae, rmse and r2 where none are given."


class Regress(Task):
    def __init__(self, settings: Settings, shape: EncoderSettings, mean: float, spread: float):
        """mean, spread: of the numbers in the training part."""
        super().__init__()
        self.mean, self.spread = mean, spread or 1.0
        self.rate = shape.dropout if settings.dropout is None else settings.dropout
        self.metrics = settings.metrics or ("mae", "rmse", "r2")
        self.error = squared_error if settings.loss == "squared" else absolute_error
        self.readout = Readout(settings.pooling, shape.width)
        self.output = nn.Linear(shape.width, 1)

    def collate(self, targets: Sequence[float]) -> Part:
        return {"numbers": (torch.tensor(targets, dtype=torch.float64) - self.mean).div(self.spread).float()}

    def loss(self, memory: Memory, target: Part, progress: float = 1.0) -> Loss:
        total, count = self.error(self._numbers(memory), target["numbers"])
        return Loss(total, float(count))

    def answer(self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()) -> list[float]:
        """For each row its number, in the unit of the data."""
        together = [task.in_unit(x) for task, x in ((self, memory), *others)]
        return torch.stack(together).mean(0).tolist()

    def in_unit(self, memory: Memory) -> Tensor:
        """(B) numbers in the unit of the data."""
        return self._numbers(memory).double() * self.spread + self.mean

    def _numbers(self, memory: Memory) -> Tensor:
        return self.output(dropout(self.readout(memory), self.rate if self.training else 0.0))[:, 0]
