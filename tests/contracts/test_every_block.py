"""Every block of an encoder: the shape stays, padding and batch mates change nothing, all of it learns."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from building import D, no_gradient_is_missing, shape, stirred
from comparing import close, randoms
from headway.functional.masks import Mask, padding
from headway.layers.blocks import BLOCKS
from headway.layers.encoder import Encoder
from headway.layers.mixers import MIXERS, Look
from headway.layers.norm import Residual

S = 7
NAMES = pytest.mark.parametrize("name", BLOCKS.names())


def encoder(name: str, **changed) -> Encoder:
    return stirred(Encoder(shape(block=name, **changed))).eval()


@NAMES
@pytest.mark.parametrize("place", ["pre", "post"])
def test_vectors_of_one_width_go_in_and_come_out_and_every_weight_learns(name, place):
    (x,) = randoms((2, S, D))
    made = encoder(name, norm_place=place)
    y = made(x, Mask()).x
    assert y.shape == x.shape and y.isfinite().all()
    no_gradient_is_missing(made, (y * torch.arange(y.numel()).view_as(y).sin()).sum())


@NAMES
@given(lengths=st.lists(st.integers(1, S), min_size=1, max_size=4), more=st.integers(0, 3))
def test_padding_and_batch_mates_change_nothing(name, lengths, more):
    made, longest = encoder(name, layers=1), max(lengths) + more
    (x,) = randoms((len(lengths), longest, D))
    with torch.inference_mode():
        together = made(x, Mask(padding(torch.tensor(lengths), longest))).x
        for row, length in enumerate(lengths):
            close(together[row, :length], made(x[row : row + 1, :length], Mask()).x[0])


@NAMES
@pytest.mark.parametrize("norm", ["layer", "rms"])
@pytest.mark.parametrize("mixer", MIXERS.names())
def test_what_it_gives_is_normed_before_the_task_whatever_the_mixer(name, norm, mixer):
    changed = {"heads": 3} if mixer == "attention" else {}
    made = Encoder(shape(block=name, norm=norm, mixer={"kind": mixer, **changed})).eval()
    (x,) = randoms((2, S, D))
    size = made(10 * x, Mask()).x.square().mean(-1)
    close(size, torch.ones_like(size), 1e-3)


@NAMES
def test_without_an_order_only_blocks_that_know_it_notice_one(name):
    (x,) = randoms((2, S, D))
    made, order = encoder(name, position="none"), torch.arange(S).roll(2)
    differs = (made(x[:, order], Mask()).x - made(x, Mask()).x[:, order]).abs().max()
    assert (differs > 1e-3) == BLOCKS.part(name).ordered


@NAMES
def test_with_everything_closed_only_norms_remain(name):
    (x,) = randoms((1, S, D))
    block = encoder(name, layers=1).blocks[0]
    for each in block.children():
        if isinstance(each, Residual):
            each.closed = True
    found = block(x, Look(Mask()))
    close(found, block.norm(x) if BLOCKS.part(name).normed else x)
