"""Self-attention by itself knows no order: permuted inputs give permuted outputs; positions tell the order."""

import torch
from torch import Tensor, nn

from headway.functional.masks import Mask
from headway.lab.demonstrations import Bars, Demonstration, Findings, Say
from headway.layers.encoder import Encoder, EncoderSettings
from headway.layers.mixers.attention import Settings as AttentionSettings
from headway.positions import POSITIONS

T, D = 9, 16


class Order(Demonstration):
    """The same encoder with every way to tell order, and a convolution."""

    def run(self, say: Say) -> Findings:
        x = torch.randn(1, T, D, dtype=torch.float64)
        order = torch.tensor([4, 0, 7, 2, 8, 1, 6, 3, 5])
        others = [name for name in POSITIONS.names() if name != "none"]
        without = difference(encoder("none"), x, order)
        told = {name: difference(encoder(name), x, order) for name in others}
        layer = nn.Conv1d(D, D, 3, padding=1).double()
        convolution = difference(lambda x: layer(x.mT).mT, x, order)

        found = Findings()
        found.show(
            f"{T} random vectors are given in order and permuted. If order plays no role, the outputs of the second "
            "are the permuted outputs of the first; the largest difference is measured, beside outputs near 1.",
            Bars("largest difference", [("no positions", without), *told.items(), ("convolution of 3", convolution)]),
        )
        found.at_most("encoder without positions: difference", without, 1e-12)
        for name, value in told.items():
            found.at_least(f"encoder with positions {name}: difference", value, 1e-3)
        found.at_least("convolution, which knows order without being told: difference", convolution, 1e-3)
        return found


def encoder(position: str):
    """Two blocks whose order is told this way, with weights that are none of them zero."""
    mixer, kind = AttentionSettings(heads=2), POSITIONS.choose(position)
    made = Encoder(EncoderSettings(layers=2, width=D, hidden=32, dropout=0.0, mixer=mixer, position=kind)).double()
    with torch.no_grad():
        for parameter in made.position.parameters():
            parameter += torch.randn_like(parameter)
    return lambda x: made(x, Mask()).x


def difference(layer, x: Tensor, order: Tensor) -> float:
    """max |layer(permuted x) − permuted layer(x)|"""
    with torch.no_grad():
        return float((layer(x[:, order]) - layer(x)[:, order]).abs().max())
