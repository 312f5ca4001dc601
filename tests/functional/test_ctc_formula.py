"""CTC against the sum over all paths, one by one, and against torch's own loss."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from comparing import close, randoms
from headway.functional.ctc import best_path, chain, collapse, frames_needed, log_likelihood

V, L = 3, 5
SEQUENCES = [[], [1], [2, 1], [1, 1], [1, 2, 1], [1, 1, 2], [2, 2, 2]]
EVERY = pytest.mark.parametrize("labels", SEQUENCES, ids=str)


def log_probabilities(frames: int = L, vocabulary: int = V, seed: int = 5) -> torch.Tensor:
    return randoms((frames, vocabulary), dtype=torch.float64, seed=seed)[0].log_softmax(-1)


def paths(log_p: torch.Tensor) -> dict[tuple[int, ...], float]:
    """Every path and its log probability."""
    rows = log_p.tolist()
    return {path: sum(row[v] for row, v in zip(rows, path)) for path in product(range(V), repeat=len(rows))}


def total(chances: list[float]) -> torch.Tensor:
    return torch.tensor(chances, dtype=torch.float64).logsumexp(0)


@pytest.mark.parametrize(
    "path, text",
    [
        ([], []),
        ([0, 0], []),
        ([1, 1, 0, 1, 2, 2], [1, 1, 2]),
        ([0, 2, 0, 0, 2], [2, 2]),
        ([1, 2, 1], [1, 2, 1]),
    ],
)
def test_repetitions_are_written_once_and_blanks_not_at_all(path, text):
    assert collapse(path) == text


@given(st.lists(st.integers(1, 3), max_size=6))
def test_what_is_needed_is_enough_and_less_is_not(labels):
    needed = frames_needed(labels)
    log_p = log_probabilities(needed, 4)
    assert log_likelihood(log_p, torch.tensor(labels, dtype=torch.long)).isfinite()
    if needed:
        assert log_likelihood(log_p[1:], torch.tensor(labels, dtype=torch.long)) == -torch.inf


@pytest.mark.parametrize(
    "labels, frames", [(labels, frames) for labels in SEQUENCES for frames in (3, 5) if frames_needed(labels) <= frames]
)
def test_the_likelihood_is_the_sum_over_all_paths_that_say_it(labels, frames):
    log_p, y = log_probabilities(frames), torch.tensor(labels, dtype=torch.long)
    close(log_likelihood(log_p, y), total([p for path, p in paths(log_p).items() if collapse(path) == labels]))


@EVERY
def test_the_best_path_is_the_best_of_all_that_say_it(labels):
    log_p, y = log_probabilities(), torch.tensor(labels, dtype=torch.long)
    saying = {path: p for path, p in paths(log_p).items() if collapse(path) == labels}
    found = best_path(log_p, y)
    assert tuple(found.tolist()) == max(saying, key=lambda path: saying[path])


@EVERY
def test_the_chain_is_how_probable_each_token_is_behind_those_before_it(labels):
    log_p, y = log_probabilities(), torch.tensor(labels, dtype=torch.long)
    texts = {path: (collapse(path), p) for path, p in paths(log_p).items()}
    begun = [
        total([p for text, p in texts.values() if text[:length] == labels[:length]])
        for length in range(len(labels) + 1)
    ]
    whole = total([p for text, p in texts.values() if text == labels])
    expected = torch.stack([*begun, whole]).diff()
    close(chain(log_p, y), expected)
    close(chain(log_p, y).sum(), log_likelihood(log_p, y))


def test_all_sequences_together_are_certain():
    log_p = log_probabilities(4)
    texts = {tuple(collapse(path)) for path in paths(log_p)}
    chances = [log_likelihood(log_p, torch.tensor(text, dtype=torch.long)) for text in texts]
    close(torch.stack(chances).logsumexp(0), torch.zeros((), dtype=torch.float64))


@EVERY
def test_it_is_torchs_loss_in_value_and_gradient(labels):
    logits, y = randoms((L, V), dtype=torch.float64)[0].requires_grad_(), torch.tensor(labels, dtype=torch.long)
    own = -log_likelihood(logits.log_softmax(-1), y)
    theirs = F.ctc_loss(logits.log_softmax(-1)[:, None], y[None], (L,), (len(labels),), reduction="sum")
    close(own, theirs)
    close(*(torch.autograd.grad(loss, logits)[0] for loss in (own, theirs)))


@EVERY
def test_gradcheck(labels):
    logits = randoms((L, V), dtype=torch.float64)[0].requires_grad_()
    y = torch.tensor(labels, dtype=torch.long)
    assert torch.autograd.gradcheck(lambda x: log_likelihood(x.log_softmax(-1), y), [logits])


def test_without_frames_nothing_is_written_for_certain():
    nothing = torch.zeros(0, dtype=torch.long)
    none = log_probabilities()[:0]
    assert log_likelihood(none, nothing) == 0 and chain(none, nothing).tolist() == [0.0]
    assert best_path(none, nothing).tolist() == []
