"""Prefix beam search against every path there is, and what a path's frames wrote."""

from itertools import product

import numpy as np
import pytest
import torch

from comparing import randoms
from headway.decoders._ctc_paths import probable_texts, scored, texts_of
from headway.functional import ctc


def every_text(log_p: np.ndarray) -> dict[tuple[int, ...], float]:
    """Every text that frames can say, with its probability: the sum over all paths."""
    found: dict[tuple[int, ...], float] = {}
    for path in product(range(log_p.shape[1]), repeat=len(log_p)):
        text = tuple(ctc.collapse(path))
        found[text] = found.get(text, 0.0) + float(np.exp(sum(log_p[j, v] for j, v in enumerate(path))))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_prefix_beam_search_with_room_for_everything_is_exhaustive(seed):
    log_p = (2 * randoms((5, 3), dtype=torch.float64, seed=seed)[0]).log_softmax(-1).numpy()
    everything = every_text(log_p)
    expected = sorted(everything, key=lambda text: -everything[text])
    every = [list(range(3))] * 5
    assert probable_texts(log_p, every, width=10_000) == expected
    assert probable_texts(log_p, every, width=8)[0] == expected[0]


def test_it_finds_a_text_of_many_paths_that_the_best_path_misses():
    log_p = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert texts_of(log_p[None].argmax(-1), [2]) == [()]
    assert probable_texts(log_p, [[0, 1]] * 2, 4)[0] == (1,)


def test_a_repetition_is_no_new_token_and_a_blank_makes_it_one():
    log_p = torch.full((1, 5, 3), -20.0)
    for j, token in enumerate([1, 1, 0, 1, 2]):
        log_p[0, j, token] = 0.0
    ((hypothesis,),) = scored(log_p, torch.tensor([5]), [[(1, 1, 2)]], 0, True)
    assert [choice.what for choice in hypothesis.trace or ()] == ["token", "repeat", "blank", "token", "token"]
