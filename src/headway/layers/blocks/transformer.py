"""A mixer and a feed-forward layer, each added to what it was given and normed (Vaswani et al. 2017, section 3.1)."""

from torch import Tensor

from headway.layers.blocks import Block
from headway.layers.encoder import EncoderSettings
from headway.layers.feedforward import FeedForward
from headway.layers.mixers import MIXERS, Look
from headway.layers.norm import Residual
from headway.settings import Branch


class Transformer(Block):
    def __init__(self, settings: Branch, shape: EncoderSettings):
        super().__init__()
        self.mixer = MIXERS.build(shape.mixer, shape.width, shape.dropout)
        self.mixed = Residual(shape.norm, shape.norm_place, shape.width, shape.dropout)
        self.feedforward = FeedForward(shape.feedforward, shape.width, shape.hidden_width, shape.dropout)
        self.fed = Residual(shape.norm, shape.norm_place, shape.width, shape.dropout)

    def forward(self, x: Tensor, look: Look) -> Tensor:
        x = self.mixed(x, lambda x: self.mixer(x, look))
        return self.fed(x, self.feedforward)
