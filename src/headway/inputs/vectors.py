"""Vectors made elsewhere, one for every element (sensors, embeddings, features), projected to the model's width."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import nn

from headway.batch import Part
from headway.functional.masks import Mask
from headway.inputs import Input, Vectors
from headway.inputs._padding import padded
from headway.kernels.dropout import generator_for
from headway.settings import Branch


class Settings(Branch):
    normalize: Literal["global", "none"] = "global"
    "Mean and spread of every number are made 0 and 1 over the training part, or numbers are taken as they are."
    noise: Annotated[float, Field(ge=0)] = 0.0
    "Spread of the noise that is added to every number in training."


@dataclass(frozen=True)
class VectorSizes:
    """How many numbers a vector has."""

    numbers: int


def collate(rows: Sequence[NDArray], normal: tuple[NDArray, NDArray] | None = None) -> Part:
    """Rows of (elements, numbers) as one part.

    vectors  (B, S, numbers), 0 behind the shorter rows
    keys     (B, S) which elements are real; left out where all are
    normal   mean and spread of every number, where these are to be made 0 and 1
    """
    return padded(rows, "vectors", normal)


class VectorInput(Input):
    """(B, S, numbers) -> (B, S, D)."""

    def __init__(self, settings: Settings, width: int, sizes: VectorSizes):
        super().__init__()
        self.noise = settings.noise
        self.output = nn.Linear(sizes.numbers, width)

    def forward(self, part: Part) -> Vectors:
        x = part["vectors"]
        if self.training and self.noise:
            x = x + self.noise * torch.randn(x.shape, device=x.device, generator=generator_for(x))
        return Vectors(self.output(x), Mask(part.get("keys")))
