"""The encoder: N blocks of a mixer and feed-forward layers, each with add & norm."""

from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from headway.batch import Memory
from headway.functional.masks import Mask
from headway.kernels.dropout import dropout
from headway.layers.blocks import BLOCKS
from headway.layers.feedforward import Activation
from headway.layers.mixers import MIXERS, Look, position_for
from headway.layers.norm import norm_of
from headway.positions import POSITIONS
from headway.settings import Branch, Count, Rate


class EncoderSettings(Branch):
    """The shape of the blocks; those of a decoder have the same shape."""

    layers: Count = 3
    "Blocks, one after another."
    width: Count = 256
    "Numbers in every vector (D)."
    hidden: Count | None = None
    "Width inside the feed-forward layer (F); 4 x the width where none is given."
    dropout: Rate = 0.1
    "Share of the numbers that is set to zero in training, after every layer and on the input."
    norm: Literal["layer", "rms"] = "layer"
    "Mean and spread, or spread only."
    norm_place: Literal["pre", "post"] = "pre"
    "Before each layer, or after the addition as in the original."
    feedforward: Activation = "relu"
    "What stands between the two matrices of the feed-forward layer."
    block: Annotated[Branch, BLOCKS] = BLOCKS.default("transformer")
    "What a layer of the encoder is made of; a decoder's are always transformer."
    mixer: Annotated[Branch, MIXERS] = MIXERS.default("attention")
    "What lets positions exchange."
    position: Annotated[Branch, POSITIONS] = POSITIONS.default("rotary")
    "How order is told to a mixer that compares; rotary adds nothing to the others, which know the order by themselves."

    @property
    def hidden_width(self) -> int:
        return self.hidden or 4 * self.width


class Encoder(nn.Module):
    """(B, S, D) vectors in, (B, S, D) vectors out that know their surroundings."""

    def __init__(self, settings: EncoderSettings):
        super().__init__()
        self.rate = settings.dropout
        self.position = position_for(settings.mixer, settings.position, settings.width, causal=False)
        self.blocks = nn.ModuleList(BLOCKS.build(settings.block, settings) for _ in range(settings.layers))
        unnormed = settings.norm_place == "pre" and not BLOCKS.part(BLOCKS.name_of(settings.block)).normed
        self.norm = norm_of(settings.norm, settings.width) if unnormed else nn.Identity()

    def forward(self, x: Tensor, mask: Mask, bias: Tensor | None = None) -> Memory:
        x = dropout(self.position.add(x), self.rate if self.training else 0.0)
        look = Look(mask, _sum(bias, self.position.bias(x.shape[1], x.shape[1])), self.position)
        for block in self.blocks:
            x = block(x, look)
        return Memory(self.norm(x), mask.keys)


def _sum(left: Tensor | None, right: Tensor | None) -> Tensor | None:
    return left if right is None else right if left is None else torch.add(left, right)
