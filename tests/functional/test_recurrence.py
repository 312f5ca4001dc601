"""Networks with a memory and windows over a sequence, against torch and numbers worked by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from comparing import DTYPES, close, randoms, same
from headway.functional.convolution import convolution, depthwise_convolution, gated
from headway.functional.recurrence import gru, lstm, running_mean

B, T, D, H = 2, 5, 3, 4
TYPES = pytest.mark.parametrize("dtype", DTYPES)


def test_a_running_mean_by_hand():
    x, forget = torch.tensor([[[4.0], [8.0], [-2.0]]]), torch.tensor([[[0.5], [0.25], [1.0]]])
    # ½·0 + ½·4 = 2;  ¼·2 + ¾·8 = 6.5;  1·6.5 + 0·(−2) = 6.5
    assert running_mean(x, forget)[0, :, 0].tolist() == [2.0, 6.5, 6.5]
    # ½·6 + ½·4 = 5;  ¼·5 + ¾·8 = 7.25
    assert running_mean(x, forget, torch.tensor([[6.0]]))[0, :, 0].tolist() == [5.0, 7.25, 7.25]


@TYPES
@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTM, 4), (nn.GRU, 3)])
def test_cells_are_torchs_in_value_and_gradient(kind, gates, dtype):
    theirs = kind(D, H, batch_first=True, dtype=dtype)
    names = [name for name, _ in theirs.named_parameters()]

    def definition(x, W, U, b, d):
        return lstm(x, W, U, b + d) if kind is nn.LSTM else gru(x, W, U, b, d)

    def torchs(x, *weights):
        return torch.func.functional_call(theirs, dict(zip(names, weights, strict=True)), (x,))[0]

    G = gates * H
    same(definition, torchs, randoms((B, T, D), (G, D), (G, H), (G,), (G,), dtype=dtype))


@TYPES
@pytest.mark.parametrize(("k", "behind"), [(3, 1), (4, 0), (5, 2), (1, 0), (9, 4)])
def test_a_convolution_is_torchs_in_value_and_gradient(k, behind, dtype):
    def torchs(x, W):
        padded = F.pad(x, (0, 0, k - 1 - behind, behind)).transpose(1, 2)
        return F.conv1d(padded, W.permute(1, 2, 0)).transpose(1, 2)

    same(lambda x, W: convolution(x, W, behind), torchs, randoms((B, T, D), (k, H, D), dtype=dtype))
    x, w = randoms((B, T, D), (k, D), dtype=dtype)
    close(depthwise_convolution(x, w, behind), torchs(x, torch.diag_embed(w)))


def test_a_window_by_hand_and_a_gate_that_is_open_half_way():
    x = torch.tensor([[[1.0], [2.0], [3.0]]])
    taps = torch.tensor([[10.0], [1.0], [-1.0]])  # of the one before, itself, the one behind
    assert depthwise_convolution(x, taps, 1)[0, :, 0].tolist() == [-1.0, 9.0, 23.0]
    close(gated(torch.tensor([6.0, 5.0, 0.0, -100.0])), torch.tensor([3.0, 0.0]))
