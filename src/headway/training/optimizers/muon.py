"""Muon (Jordan et al. 2024): the momentum of a matrix, made orthogonal, so that every direction moves equally far.

For the matrices inside the blocks; tables, norms and biases take AdamW.
"""

from typing import Annotated

from pydantic import Field
from torch import nn
from torch.optim import AdamW, Muon, Optimizer

from headway.settings import Branch, Rate
from headway.training.optimizers import Recipe
from headway.training.optimizers.adamw import split


class Settings(Branch):
    scale: Annotated[float, Field(gt=0)] = 20.0
    "Learning rate of the matrices, in units of training.learning_rate, which AdamW takes for the rest."
    momentum: Rate = 0.95
    "Memory of the gradients."
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    "Share of the learning rate by which the matrices shrink at every step."


class MuonRecipe(Recipe):
    def build(self, model: nn.Module) -> list[Optimizer]:
        matrices, others = split(model)
        settings = self.settings
        muon = Muon(
            [{"params": matrices, "scale": settings.scale}],
            lr=0.0,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
        group = {"params": others, "scale": 1.0}
        return [muon, AdamW([group], lr=0.0, betas=(0.9, 0.98), eps=1e-9, weight_decay=0.0, fused=True)]
