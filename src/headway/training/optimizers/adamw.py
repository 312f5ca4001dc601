"""AdamW (Loshchilov & Hutter 2019): steps of equal size whatever the gradient's, and weight decay apart from them."""

from typing import Annotated

from pydantic import Field
from torch import nn
from torch.optim import AdamW, Optimizer

from headway.settings import Branch, Rate
from headway.training.optimizers import Recipe


class Settings(Branch):
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    "Share of the learning rate by which matrices shrink at every step; norms, biases and tables do not."
    beta1: Rate = 0.9
    "Memory of the mean of the gradients."
    beta2: Rate = 0.98
    "Memory of the mean of their squares."


class AdamWRecipe(Recipe):
    def build(self, model: nn.Module) -> list[Optimizer]:
        matrices, others = split(model)
        groups = [
            {"params": matrices, "weight_decay": self.settings.weight_decay, "scale": 1.0},
            {"params": others, "weight_decay": 0.0, "scale": 1.0},
        ]
        betas = (self.settings.beta1, self.settings.beta2)
        return [AdamW([group for group in groups if group["params"]], lr=0.0, betas=betas, eps=1e-9, fused=True)]


def split(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """(the matrices inside the blocks, everything else: tables, output layers' biases, norms)."""
    matrices, others = [], []
    for name, parameter in model.named_parameters():
        inside = "blocks." in name and parameter.ndim == 2
        (matrices if inside else others).append(parameter)
    return matrices, others
