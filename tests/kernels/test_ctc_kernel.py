"""CTC in batches against the formula, row by row: the loss behind an output layer, best paths, chains."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from comparing import DTYPES, close, randoms, same
from headway.functional import ctc
from headway.kernels import ctc as kernel
from headway.kernels.ctc import best_path, chain, frames_needed, of_labels, projected_best_path, projected_ctc

D, V, L = 5, 7, 9
ROWS = [([1, 1, 3, 2], 9), ([5, 6, 5], 8), ([], 3), ([4], 1), ([2, 2, 2, 2], 9), ([6, 6], 3)]
"""Labels and frames of rows: repeats, nothing to write, as few frames as can be."""


def batch(rows=ROWS) -> tuple[Tensor, Tensor, Tensor]:
    """(frames, labels, lengths)"""
    lengths = torch.tensor([len(labels) for labels, _ in rows])
    table = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for row, (labels, _) in zip(table, rows):
        row[: len(labels)] = torch.tensor(labels, dtype=torch.long)
    return torch.tensor([frames for _, frames in rows]), table, lengths


def inputs_for(rows: int = len(ROWS), dtype: torch.dtype = torch.float64, frames: int = L) -> list[Tensor]:
    return randoms((rows, frames, D), (V, D), (V,), dtype=dtype)


def plain(x: Tensor, weight: Tensor, bias: Tensor, rows=ROWS) -> Tensor:
    log_p = F.linear(x, weight, bias).log_softmax(-1)
    found = [
        ctc.log_likelihood(own[:frames], torch.tensor(labels, dtype=torch.long))
        for own, (labels, frames) in zip(log_p, rows)
    ]
    return -torch.stack(found).sum()


def fast(x: Tensor, weight: Tensor, bias: Tensor, rows=ROWS) -> Tensor:
    frames, labels, lengths = batch(rows)
    return projected_ctc(x, frames, weight, bias, labels, lengths)


def own_of(rows=ROWS) -> tuple[Tensor, Tensor]:
    """(log probabilities of all, of the blank and each row's labels)"""
    log_p = randoms((len(rows), L, V), dtype=torch.float64)[0].log_softmax(-1)
    return log_p, of_labels(log_p, batch(rows)[1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_loss_is_the_formulas_in_value_and_every_gradient(dtype):
    same(fast, plain, inputs_for(dtype=dtype), 1e-4 if dtype == torch.float32 else None)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_loss_is_torchs_in_value_and_every_gradient(dtype):
    frames, labels, lengths = batch()

    def theirs(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        log_p = F.linear(x, weight, bias).log_softmax(-1).transpose(0, 1)
        return F.ctc_loss(log_p, labels, frames, lengths, reduction="sum")

    same(fast, theirs, inputs_for(dtype=dtype), 1e-5 if dtype == torch.float32 else 1e-6)


@pytest.mark.parametrize("logits", [1, 2 * L * V, 3 * L * V, 5 * L * V])
def test_pieces_of_any_size_are_the_whole(logits, monkeypatch):
    monkeypatch.setattr(kernel, "LOGITS", logits)
    same(fast, plain, inputs_for())
    x, weight, bias = inputs_for()
    frames, labels, lengths = batch()
    right, free = projected_best_path(x, frames, weight, bias, labels, lengths)
    scores = F.linear(x, weight, bias)
    assert right.equal(best_path(of_labels(scores, labels), frames, labels, lengths))
    assert free.equal(scores.argmax(-1))


def test_gradcheck():
    rows = [([1, 1], 3), ([], 1), ([2, 1], 2)]
    inputs = [x.requires_grad_() for x in randoms((3, 3, 2), (3, 2), (3,), dtype=torch.float64)]
    assert torch.autograd.gradcheck(lambda *x: fast(*x, rows), inputs)


@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_what_comes_after_the_loss_scales_its_gradients(factor):
    same(lambda *inputs: fast(*inputs) * factor, lambda *inputs: plain(*inputs) * factor, inputs_for())


@pytest.mark.parametrize("scale", [30.0, 1e3, 1e5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_however_wrong_the_frames_are_loss_and_gradient_are_finite(scale, dtype):
    x, weight, bias = (x.requires_grad_() for x in inputs_for(dtype=dtype))
    loss = fast(x * scale, weight, bias)
    assert loss.isfinite() and loss > 0
    for gradient in torch.autograd.grad(loss, [x, weight, bias]):
        assert gradient.isfinite().all()


@pytest.mark.parametrize("rows", [[([], 2)], [([], 2), ([], 4)], [([3], 1)]], ids=str)
def test_nothing_to_write_and_a_single_frame(rows):
    same(lambda *i: fast(*i, rows), lambda *i: plain(*i, rows), inputs_for(len(rows)))


def test_no_rows_are_a_loss_of_zero_with_gradients_of_zero():
    x, weight, bias = (x.requires_grad_() for x in inputs_for(0))
    none = torch.zeros(0, dtype=torch.long)
    loss = projected_ctc(x, none, weight, bias, none.view(0, 3), none)
    assert loss == 0
    assert not any(gradient.any() for gradient in torch.autograd.grad(loss, [x, weight, bias]))


def test_frames_behind_the_end_of_a_row_change_nothing_and_get_no_gradient():
    x, weight, bias = inputs_for()
    frames = batch()[0]
    behind = torch.arange(L)[None, :] >= frames[:, None]
    other = torch.where(behind[..., None], 40.0, x).requires_grad_()
    close(fast(other, weight, bias), fast(x, weight, bias))
    (gradient,) = torch.autograd.grad(fast(other, weight, bias), other)
    assert not gradient[behind].any() and gradient[~behind].any(-1).all()


@given(st.permutations(range(len(ROWS))))
def test_rows_in_any_order_and_company_have_the_loss_that_they_have_alone(order):
    x, weight, bias = inputs_for()
    few = order[:3]
    together = fast(x[few], weight, bias, [ROWS[i] for i in few])
    alone = [fast(x[[i], : ROWS[i][1]], weight, bias, [ROWS[i]]) for i in few]
    close(together, torch.stack(alone).sum())


def test_without_a_gradient_wanted_the_value_is_the_same():
    inputs = inputs_for()
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            found = fast(*(x.requires_grad_() for x in inputs))
        assert not found.requires_grad
        close(found.clone(), plain(*inputs).detach())


def test_under_autocast_to_bfloat16_it_is_near_and_gradients_keep_the_type_of_the_weights():
    inputs = [x.requires_grad_() for x in inputs_for(dtype=torch.float32)]
    with torch.autocast("cpu", torch.bfloat16):
        found = fast(*inputs)
    expected = plain(*inputs)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected.item(), rel=0.02)
    for one, other in zip(torch.autograd.grad(found, inputs), torch.autograd.grad(expected, inputs)):
        assert one.dtype == torch.float32
        assert (one - other).norm() < 0.05 * other.norm()


def test_best_paths_are_the_formulas_and_blanks_behind_the_end():
    frames, labels, lengths = batch()
    log_p, own = own_of()
    found = best_path(own, frames, labels, lengths)
    for row, (text, end) in enumerate(ROWS):
        expected = ctc.best_path(log_p[row, :end], torch.tensor(text, dtype=torch.long))
        assert found[row].tolist() == expected.tolist() + [0] * (L - end)
        assert ctc.collapse(found[row].tolist()) == text


def test_logits_have_the_best_paths_of_their_log_probabilities():
    frames, labels, lengths = batch()
    (logits,) = randoms((len(ROWS), L, V), dtype=torch.float64)
    found = best_path(of_labels(logits, labels), frames, labels, lengths)
    assert found.equal(best_path(of_labels(logits.log_softmax(-1), labels), frames, labels, lengths))


def test_chains_are_the_formulas():
    frames, labels, lengths = batch()
    log_p, own = own_of()
    each, ends = chain(own, frames, labels, lengths)
    for row, (text, end) in enumerate(ROWS):
        expected = ctc.chain(log_p[row, :end], torch.tensor(text, dtype=torch.long))
        close(torch.cat([each[row, : len(text)], ends[row : row + 1]]), expected)


@given(st.lists(st.lists(st.integers(1, 3), max_size=5), min_size=1, max_size=4))
def test_the_frames_that_are_needed(rows):
    _, labels, lengths = batch([(row, 0) for row in rows])
    assert frames_needed(labels, lengths).tolist() == [ctc.frames_needed(row) for row in rows]
