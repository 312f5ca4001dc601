"""How do gradients become changes of the weights?  One file each."""

from typing import Any

from torch import nn
from torch.optim import Optimizer

from headway.settings import Room


class Recipe:
    """Builds torch optimizers for a model; several where different weights want different ones.

    Every parameter group has an `lr` relative to the schedule's: 1 for the setting `training.learning_rate` itself.
    """

    def __init__(self, settings: Any):
        self.settings = settings

    def build(self, model: nn.Module) -> list[Optimizer]:
        """Optimizers over all parameters of the model, each group with its `scale` of the learning rate."""
        raise NotImplementedError


OPTIMIZERS = Room(__name__, Recipe, "optimizer")
