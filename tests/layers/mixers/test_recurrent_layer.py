"""The recurrent layer: the definitions with its own weights, from both ends, whatever stands behind a row."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from building import D, stirred
from comparing import DTYPES, close, gradients, randoms, same
from headway.errors import UsageError
from headway.functional.masks import Mask, padding
from headway.functional.recurrence import gru, lstm
from headway.layers.mixers import Look
from headway.layers.mixers.recurrent import Recurrent, Settings, turned

B, T = 2, 5
CELLS = pytest.mark.parametrize("cell", ["lstm", "gru"])


def layer(cell: str, causal: bool = False, **settings) -> Recurrent:
    return stirred(Recurrent(Settings(cell=cell, **settings), D, 0.0, causal))


def by_definition(cell: str, x: Tensor, W: Tensor, U: Tensor, b: Tensor, d: Tensor) -> Tensor:
    return lstm(x, W, U, b + d) if cell == "lstm" else gru(x, W, U, b, d)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("both", [True, False])
@CELLS
def test_it_is_its_definition_in_value_and_gradient(cell, both, dtype):
    made = layer(cell, bidirectional=both).to(dtype)
    names = [name for name, _ in made.named_parameters()]

    def ours(x: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(made, dict(zip(names, weights, strict=True)), (x, Look(Mask())))

    def definition(x: Tensor, *weights: Tensor) -> Tensor:
        ahead = by_definition(cell, x, *weights[:4])
        return torch.cat([ahead, by_definition(cell, x.flip(1), *weights[4:]).flip(1)], -1) if both else ahead

    found = same(ours, definition, [*randoms((B, T, D), dtype=dtype), *made.parameters()])
    assert found.shape == (B, T, D)


@CELLS
def test_both_directions_are_torchs_packed_sequences(cell):
    made = layer(cell)
    theirs = (nn.LSTM if cell == "lstm" else nn.GRU)(D, D // 2, batch_first=True, bidirectional=True)
    for name, weight in theirs.named_parameters():
        own = made.backward if name.endswith("_reverse") else made.onward
        weight.data.copy_(getattr(own, name.removesuffix("_reverse")))
    lengths = torch.tensor([5, 2, 3])
    (x,) = randoms((3, T, D))
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = nn.utils.rnn.pad_packed_sequence(theirs(packed)[0], batch_first=True)
    keys = padding(lengths, T)
    close(made(x, Look(Mask(keys)))[keys], expected[keys])


@given(lengths=st.lists(st.integers(0, T), min_size=1, max_size=4))
def test_each_row_is_turned_within_its_own_length(lengths):
    (x,) = randoms((len(lengths), T, D))
    keys = padding(torch.tensor(lengths), T)
    found = turned(x, keys)
    for row, length in enumerate(lengths):
        assert found[row].equal(torch.cat([x[row, :length].flip(0), x[row, length:]]))
    assert turned(found, keys).equal(x)


@CELLS
def test_every_position_sees_the_whole_row_and_no_padding(cell):
    made, keys = layer(cell), padding(torch.tensor([3, 0]), T)
    (x,) = (x.requires_grad_() for x in randoms((2, T, D)))
    found = made(x, Look(Mask(keys)))
    for position in range(3):
        (gradient,) = gradients(found[:1, position], [x])
        assert gradient[keys].any(-1).all() and not gradient[~keys].any()
    assert found.isfinite().all()


def test_cells_begin_with_orthogonal_matrices_and_an_lstm_begins_by_remembering():
    made = Recurrent(Settings(), D, 0.0, causal=True).onward
    for U in made.weight_hh_l0.split(D):
        close(U @ U.T, torch.eye(D))
    assert made.bias_ih_l0[D : 2 * D].eq(1).all() and made.bias_ih_l0.sum() == D and not made.bias_hh_l0.any()


def test_the_width_is_shared_by_two_directions_or_belongs_to_one():
    both, one, causal = (layer("gru"), layer("gru", bidirectional=False), layer("gru", causal=True))
    assert both.onward.hidden_size == both.backward.hidden_size == D // 2
    assert one.onward.hidden_size == causal.onward.hidden_size == D and one.backward is causal.backward is None
    with pytest.raises(UsageError, match="two directions share the width, and 7 is odd: choose another"):
        Recurrent(Settings(), 7, 0.0)
