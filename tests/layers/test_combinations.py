"""Every mixer with every norm, place and feed-forward layer, in every precision: it builds, learns, and stays finite.

Of four choices every pair is met with, in an encoder and a decoder over it.
"""

import itertools
from collections.abc import Iterator

import pytest
import torch

from building import memory_of, shape
from comparing import randoms
from headway.functional.masks import Mask, padding
from headway.layers.decoder import DecoderStack, StackSettings
from headway.layers.encoder import Encoder
from headway.layers.mixers import MIXERS
from headway.training.loop import precision as precision_of
from headway.training.settings import MachineSettings

CHOICES: list[list[str]] = [
    [*MIXERS.names(), "gru"],
    ["layer", "rms"],
    ["pre", "post"],
    ["relu", "gelu", "swiglu"],
    ["float32", "medium", "bfloat16"],
]
KINDS = {"attention": {"kind": "attention", "heads": 4}, "gru": {"kind": "recurrent", "cell": "gru"}}


def pairwise() -> Iterator[tuple[str, ...]]:
    """Few combinations in which every two choices meet: at each turn the one with most pairs not yet met."""

    def pairs(row: tuple[str, ...]) -> set[tuple[tuple[int, str], tuple[int, str]]]:
        return set(itertools.combinations(enumerate(row), 2))

    rows = list(itertools.product(*CHOICES))
    missing = set().union(*map(pairs, rows))
    while missing:
        row = max(rows, key=lambda row: len(pairs(row) & missing))
        missing -= pairs(row)
        yield row


ROWS = list(pairwise())


@pytest.fixture
def medium():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("mixer", "norm", "place", "feedforward", "precision"), ROWS, ids=map("-".join, ROWS))
def test_every_pair_of_choices_learns_and_stays_finite(mixer, norm, place, feedforward, precision, request):
    if precision == "medium":
        request.getfixturevalue("medium")
    settings = shape(
        width=16, mixer=KINDS.get(mixer, mixer), norm=norm, norm_place=place, feedforward=feedforward, dropout=0.1
    )
    blocks = torch.nn.ModuleList([Encoder(settings), DecoderStack(StackSettings(), settings, causal=True)])
    optimizer = torch.optim.SGD(blocks.parameters(), 0.05)
    x, y, wanted = randoms((3, 9, 16), (3, 6, 16), (3, 6, 16))
    machine, losses = MachineSettings(precision=precision), []
    for _ in range(6):
        torch.manual_seed(0)
        with precision_of(machine, torch.device("cpu")):
            memory = blocks[0](x, Mask(padding(torch.tensor([9, 4, 1]), 9)))
            found = blocks[1](y, memory)
        loss = (found.float() - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        for name, parameter in blocks.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name
            assert parameter.grad.dtype == torch.float32
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_of_the_settings_of_a_decoder_the_first_attention_looks_at_the_source():
    own, encoders = {"kind": "attention", "heads": 3}, {"kind": "attention", "heads": 6}
    for settings, mixer, heads in (
        (StackSettings(mixer="ssru"), encoders, 6),
        (StackSettings(mixer=own), encoders, 3),
        (StackSettings(mixer=own), "convolution", 3),
        (StackSettings(), "convolution", 4),
        (StackSettings(mixer="recurrent", cross=own), encoders, 3),
    ):
        stack = DecoderStack(settings, shape(mixer=mixer), causal=True)
        assert [block.cross.heads for block in stack.blocks] == [heads, heads]
    assert stack(randoms((2, 5, 12))[0], memory_of([4, 7])).shape == (2, 5, 12)
