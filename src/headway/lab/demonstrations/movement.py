"""Attention moves information between positions; the feed-forward layer looks at one position at a time."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from headway.functional.masks import Mask
from headway.lab.demonstrations import Demonstration, Findings, HeatMap, Say
from headway.layers.feedforward import FeedForward
from headway.layers.mixers import Look
from headway.layers.mixers.attention import Attention
from headway.layers.mixers.attention import Settings as AttentionSettings
from headway.layers.norm import norm_of

T, D = 8, 16


class Movement(Demonstration):
    """Which input positions can an output position depend on? The derivative tells, block by block."""

    def run(self, say: Say) -> Findings:
        attention = Attention(AttentionSettings(heads=2), D, 0.0).double()
        x = torch.randn(T, D, dtype=torch.float64)
        mixed = influence(lambda x: attention(x[None], Look(Mask()))[0], x)
        masked = influence(lambda x: attention(x[None], Look(Mask(causal=True)))[0], x)
        fed = influence(FeedForward("relu", D, 4 * D, 0.0).double(), x)
        normed = influence(norm_of("layer", D).double(), x)

        found = Findings()
        names = [str(i + 1) for i in range(T)]
        found.show(
            "The derivative of output i with respect to input j, (D × D) numbers, has a length: how much j moves i. "
            "Rows are outputs, columns inputs.",
            *(
                HeatMap(title, influence.tolist(), names, names)
                for title, influence in (
                    ("self-attention", mixed),
                    ("masked self-attention", masked),
                    ("feed-forward layer", fed),
                )
            ),
        )
        elsewhere = ~torch.eye(T, dtype=torch.bool)
        later = torch.ones(T, T).triu(1).bool()
        found.at_least("attention: the least influence of any position on any other", _least(mixed[elsewhere]), 1e-4)
        found.at_most("masked attention: the largest influence of a later position", _most(masked[later]), 0.0)
        found.at_most("feed-forward: the largest influence of another position", _most(fed[elsewhere]), 0.0)
        found.at_least("feed-forward: the least influence of the own position", _least(fed.diagonal()), 1e-4)
        found.at_most("normalization: the largest influence of another position", _most(normed[elsewhere]), 0.0)
        return found


def influence(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """(T, T) the length of ∂ output i / ∂ input j."""
    return jacobian(layer, x).pow(2).sum((1, 3)).sqrt()  # of (T, D, T, D)


def _least(x: Tensor) -> float:
    return float(x.min())


def _most(x: Tensor) -> float:
    return float(x.max())
