"""What every score with every normalizer, position and mask promises: no NaN, and only what is looked at counts.

By the definition; that each engine gives the definition's numbers is tested in tests/kernels.
"""

import itertools

import pytest
import torch
from torch import Tensor

from building import D, stirred
from comparing import close, gradients, randoms
from headway.functional.masks import Mask, padding
from headway.layers.mixers import Look
from headway.layers.mixers.attention import Attention, Settings, observed
from headway.normalizers import NORMALIZERS
from headway.positions import POSITIONS, Position
from headway.scores import SCORES

B, T, S, HEADS = 2, 5, 7, 3
KEYS = padding(torch.tensor([3, 5]), T)
EDGES = (torch.rand(B, T, T, generator=torch.Generator().manual_seed(1)) < 0.5).index_fill(1, torch.tensor([2]), False)
MASKS = {
    "none": Mask(),
    "causal": Mask(causal=True),
    "padding": Mask(KEYS),
    "both": Mask(KEYS, causal=True),
    "window": Mask(reach=1),
    "window and padding": Mask(KEYS, reach=1),  # the row of padding farthest out sees nothing
    "edges": Mask(edges=EDGES),
    "an empty source": Mask(padding(torch.tensor([0, 5]), T)),
}
each_pair = pytest.mark.parametrize(
    ("score", "normalizer"), list(itertools.product(SCORES.names(), NORMALIZERS.names()))
)
SUM_TO_ONE = ("softmax", "sparsemax", "entmax15")


def layer(score: str, normalizer: str, **settings) -> Attention:
    chosen = Settings(heads=HEADS, score=score, normalizer=normalizer, engine="definition", **settings)
    return stirred(Attention(chosen, D, 0.0)).double().eval()


def positions(causal: bool = False) -> list[Position]:
    torch.manual_seed(2)
    return [POSITIONS.build(POSITIONS.choose(name), D, HEADS, causal).double() for name in POSITIONS.names()]


def finite(made: Attention, output: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    """Output and gradients of inputs and weights are numbers; returns the gradients of the inputs."""
    found = gradients(output, [*inputs, *made.parameters()])
    assert output.isfinite().all() and all(gradient.isfinite().all() for gradient in found)
    return found[: len(inputs)]


@pytest.mark.sampled(16)
@each_pair
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_values_and_gradients_are_numbers_and_what_is_hidden_has_none(score, normalizer, mask):
    made = layer(score, normalizer)
    (x,) = (x.requires_grad_() for x in randoms((B, T, D), dtype=torch.float64))
    table = mask.table(T, T)
    for position in positions(mask.causal):
        look = Look(mask, position.bias(T, T), position)
        with observed([made]) as seen:
            finite(made, made(position.add(x), look), [x])
        ((weights,),) = seen
        if table is not None:
            hidden = ~table.expand(B, HEADS, T, T)
            assert not weights[hidden].any()
        if normalizer in SUM_TO_ONE:
            some = torch.ones(1, 1, 1) if table is None else table.any(-1)
            close(weights.sum(-1), some.expand(B, HEADS, T).double())


@each_pair
def test_a_row_of_one_looks_at_itself_and_a_row_that_looks_nowhere_says_nothing(score, normalizer):
    made = layer(score, normalizer)
    (x,) = (x.requires_grad_() for x in randoms((B, 1, D), dtype=torch.float64))
    finite(made, made(x, Look(Mask())), [x])
    nowhere = Look(Mask(torch.zeros(B, 1, dtype=torch.bool)))
    output = made(x, nowhere)
    close(output, made.output.bias.expand_as(output))
    assert not finite(made, output, [x])[0].any()


@pytest.mark.sampled(12)
@each_pair
def test_padding_and_batch_mates_change_nothing(score, normalizer):
    made = layer(score, normalizer)
    (x,) = randoms((B, S, D), dtype=torch.float64)
    keys = padding(torch.tensor([3, 5]), S)
    x = x.masked_fill(~keys[..., None], 50.0).requires_grad_()
    for causal, window in itertools.product((False, True), (None, 1)):
        made.window = window
        for position in positions(causal):
            look = Look(Mask(keys, causal=causal), position.bias(S, S), position)
            together = made(position.add(x), look)
            for row, length in enumerate((3, 5)):
                alone = Look(Mask(causal=causal), position.bias(length, length), position)
                close(together[row, :length], made(position.add(x[row : row + 1, :length]), alone)[0])
            (gradient,) = gradients(together.masked_fill(~keys[..., None], 0.0), [x])
            assert not gradient[~keys].any()


@pytest.mark.sampled(4)
@each_pair
@pytest.mark.parametrize("length", [1, 3])
def test_of_another_sequence_too_whatever_its_length(score, normalizer, length):
    made = layer(score, normalizer, window=1)  # cross-attention has none
    x, memory = (y.requires_grad_() for y in randoms((B, length, D), (B, S, D), dtype=torch.float64))
    keys = padding(torch.tensor([0, 5]), S)
    output = made(x, Look(Mask(keys)), None, memory)
    assert not finite(made, output, [x, memory])[1][~keys].any()
    close(output[0], made.output.bias.expand_as(output[0]))
    close(output[1], made(x[1:], Look(Mask()), None, memory[1:, :5])[0])
