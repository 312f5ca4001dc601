"""A mixer for what is far and a convolution for what is near, between two halves of a feed-forward layer, for sound.

Gulati et al. 2020 (figure 1, equation 1). Where they norm the convolution over the batch, here each position is normed
by itself: an answer then depends on no other row and on no padding, parts of a batch can be worked on one after another
or side by side, and training and answering compute the same.
"""

from torch import Tensor

from headway.layers.blocks import Block
from headway.layers.encoder import EncoderSettings
from headway.layers.feedforward import FeedForward
from headway.layers.mixers import MIXERS, Look
from headway.layers.mixers.convolution import Convolution
from headway.layers.mixers.convolution import Settings as ConvolutionSettings
from headway.layers.norm import Residual, norm_of
from headway.settings import Branch, Count


class Settings(Branch):
    kernel: Count = 15
    "Elements that the convolution sees, an odd number with the position in the middle."


class Conformer(Block):
    """x₁ = x + ½ F(x); x₂ = x₁ + mixer(x₁); x₃ = x₂ + convolution(x₂); norm(x₃ + ½ F'(x₃)).

    The convolution is that of the mixers, gated and depthwise, with a norm and a swish behind the taps.
    """

    ordered = normed = True

    def __init__(self, settings: Settings, shape: EncoderSettings):
        super().__init__()
        width, rate = shape.width, shape.dropout
        around = (shape.norm, shape.norm_place, width, rate)
        self.feedforward_before = FeedForward(shape.feedforward, width, shape.hidden_width, rate)
        self.fed_before = Residual(*around)
        self.mixer = MIXERS.build(shape.mixer, width, rate)
        self.mixed = Residual(*around)
        self.convolution = Convolution(ConvolutionSettings(kernel=settings.kernel, normed=True), width, 0.0)
        self.convolved = Residual(*around)
        self.feedforward = FeedForward(shape.feedforward, width, shape.hidden_width, rate)
        self.fed = Residual(*around)
        self.norm = norm_of(shape.norm, width) if shape.norm_place == "pre" else None

    def forward(self, x: Tensor, look: Look) -> Tensor:
        x = self.fed_before(x, lambda x: 0.5 * self.feedforward_before(x))
        x = self.mixed(x, lambda x: self.mixer(x, look))
        x = self.convolved(x, lambda x: self.convolution(x, Look(look.mask)))
        x = self.fed(x, lambda x: 0.5 * self.feedforward(x))
        return x if self.norm is None else self.norm(x)
