"""Vectors made elsewhere: normal numbers, padding, noise in training only, the projection."""

import numpy as np
import torch
from torch.nn import functional as F

from building import no_gradient_is_missing
from comparing import close
from headway.inputs.vectors import Settings, VectorInput, VectorSizes, collate
from headway.kernels.dropout import drawn_from

ROWS = [np.array([[1.0, 20.0], [3.0, 40.0]], np.float32), np.array([[5.0, 60.0]], np.float32)]


def test_rows_are_padded_and_made_normal():
    part = collate(ROWS, (np.array([3.0, 40.0], np.float32), np.array([2.0, 20.0], np.float32)))
    assert part["vectors"].tolist() == [[[-1, -1], [0, 0]], [[1, 1], [0, 0]]]
    assert part["keys"].tolist() == [[True, True], [True, False]]
    assert collate(ROWS)["vectors"][0].tolist() == ROWS[0].tolist()
    assert ROWS[0][0, 0] == 1.0, "what was given is not changed"


def test_it_is_a_projection():
    made = VectorInput(Settings(), 5, VectorSizes(2)).eval()
    part = collate(ROWS)
    close(made(part).x, F.linear(part["vectors"], made.output.weight, made.output.bias))


def test_noise_is_drawn_in_training_only_and_from_the_seed():
    made, part = VectorInput(Settings(noise=0.5), 5, VectorSizes(2)), collate(ROWS)
    still = made.eval()(part).x
    assert still.equal(made(part).x)
    found = []
    for seed in (1, 1, 2):
        with drawn_from(seed):
            found.append(made.train()(part).x)
    assert found[0].equal(found[1]) and not found[0].equal(found[2]) and not found[0].equal(still)
    no_gradient_is_missing(made, (found[0] * torch.arange(5)).sum())
