"""Connectionist temporal classification in batches: `functional.ctc`, fast.

Of the V numbers of a frame a row's loss reads only those of the blank and of its own tokens, so the recursion runs over
these T + 1 and not over V: on one thread, 30 rows of 60 frames and 25 tokens with V = 4,000 take 29 ms forward and back
behind the output layer, where torch's loss over the log-softmax takes 120. The logits themselves exist in pieces only.
Training takes torch's recursion, which works in logarithms and so never under- or overflows.

Everywhere: states or logits of B rows with L frames, `frames` (B) of which so many are real; labels (B, T), of which
`lengths` (B) are real. A row has at least one frame, and at least as many as its labels need (`frames_needed`).
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from headway.functional.ctc import BLANK
from headway.functional.masks import padding
from headway.kernels.linear import product, product_type

LOGITS = 2**21
"""Logits of a piece: 8 MiB."""


def frames_needed(labels: Tensor, lengths: Tensor) -> Tensor:
    """(B) the fewest frames that can say each row's labels."""
    again = (labels[:, 1:] == labels[:, :-1]) & padding(lengths - 1, max(labels.shape[1] - 1, 0))
    return lengths + again.sum(-1)


def projected_ctc(x: Tensor, frames: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
    """−Σ log p(labels) over all rows, where frame j writes by the softmax of xⱼ Wᵀ + b.

    x (B, L, D), weight (V, D), bias (V), labels (B, T) -> ()
    """
    labels = labels if labels.shape[1] else F.pad(labels, (0, 1), value=BLANK)
    if x.device.type != "cpu":
        log_p = F.linear(x, weight, bias).float().log_softmax(-1)
        return F.ctc_loss(log_p.transpose(0, 1), labels, frames, lengths, BLANK, "sum")
    return _ProjectedCTC.apply(x, frames, weight, bias, labels, lengths, torch.is_grad_enabled())


class _ProjectedCTC(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        frames: Tensor,
        weight: Tensor,
        bias: Tensor,
        labels: Tensor,
        lengths: Tensor,
        wants_gradient: bool,
    ) -> Tensor:
        kind, wide = product_type(x), torch.promote_types(x.dtype, torch.float32)
        x, weight, bias = x.to(kind), weight.to(kind), bias.to(kind)
        total = torch.zeros((), dtype=wide)
        dx = torch.empty_like(x)
        dweight, dbias = torch.zeros(weight.shape, dtype=wide), torch.zeros(len(weight), dtype=wide)
        for piece in _pieces(x, len(weight)):
            rows = x[piece].flatten(0, 1)
            logits = product(rows, weight, bias)
            some = frames[piece], labels[piece], lengths[piece]
            loss, p = _loss_and_gradient(logits.view(*x[piece].shape[:2], -1), *some, wants_gradient)
            total += loss
            if not wants_gradient:
                continue
            dbias += p.sum(0)
            torch.mm(p, weight, out=dx[piece].flatten(0, 1))
            if kind == wide:
                dweight.addmm_(p.T, rows)
            else:
                dweight += p.T @ rows
        ctx.save_for_backward(dx, dweight, dbias)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        dx, dweight, dbias = ctx.saved_tensors
        return dx * gradient, None, dweight * gradient, dbias * gradient, None, None, None


def _pieces(x: Tensor, V: int) -> Iterator[slice]:
    """Whole rows, as many at a time as have so many logits."""
    rows = max(1, LOGITS // max(1, x.shape[1] * V))
    return (slice(start, start + rows) for start in range(0, len(x), rows))


def _loss_and_gradient(
    logits: Tensor, frames: Tensor, labels: Tensor, lengths: Tensor, wants_gradient: bool
) -> tuple[Tensor, Tensor]:
    """(−Σ log p(labels), its gradient by the logits as (B × L, V)); logits (B, L, V), overwritten.

    The gradient is the softmax less the share of all paths, weighted by their probability, that write this here.
    """
    V, kind = logits.shape[-1], torch.promote_types(logits.dtype, torch.float32)
    top = logits.amax(-1, keepdim=True).to(kind)
    own = of_labels(logits, labels).to(kind)
    p = torch.softmax(logits, -1, out=logits)
    log_p = own - (top - p.amax(-1, keepdim=True).to(kind).log())  # a largest chance is at least 1 / V: it has one
    # equal tokens of a row are one to the recursion, named by where the first stands
    names = (labels[:, :, None] == labels[:, None, :]).to(torch.uint8).argmax(-1) + 1
    with torch.set_grad_enabled(wants_gradient):
        log_p = log_p.transpose(0, 1).contiguous().requires_grad_(wants_gradient)
        loss = F.ctc_loss(log_p, names, frames, lengths, BLANK, "sum")
        if not wants_gradient:
            return loss, p.view(-1, V)
        (gradient,) = torch.autograd.grad(loss, log_p)
    # torch gives the gradient by logits, that of a log-softmax in front: the chance less the share of the paths
    share = (gradient - log_p.detach().exp()).transpose(0, 1).to(p.dtype)
    p.scatter_add_(-1, _blank_and(labels, p.shape[1]), share)
    p.masked_fill_(~padding(frames, p.shape[1])[..., None], 0.0)
    return loss.detach(), p.view(-1, V)


def of_labels(logits: Tensor, labels: Tensor) -> Tensor:
    """(B, L, V) -> (B, L, T + 1) the numbers of the blank, then those of each row's labels (B, T)."""
    return logits.gather(-1, _blank_and(labels, logits.shape[1]))


def _blank_and(labels: Tensor, L: int) -> Tensor:
    return F.pad(labels, (1, 0), value=BLANK)[:, None].expand(-1, L, -1)


# ------------------------------------------------------------------------------------------------- paths and labels


def projected_best_path(
    x: Tensor, frames: Tensor, weight: Tensor, bias: Tensor, labels: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """(the most probable path that says the labels, the most probable of all), each (B, L) tokens; no gradient."""
    kind = product_type(x)
    x, weight, bias = x.detach().to(kind), weight.detach().to(kind), bias.detach().to(kind)
    right, free = [], []
    for piece in _pieces(x, len(weight)):
        logits = product(x[piece].flatten(0, 1), weight, bias).view(*x[piece].shape[:2], -1)
        right.append(best_path(of_labels(logits, labels[piece]).float(), frames[piece], labels[piece], lengths[piece]))
        free.append(logits.argmax(-1))
    return torch.cat(right), torch.cat(free)


def best_path(own: Tensor, frames: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
    """(B, L) the most probable path of each row that says its labels; blanks behind its frames.

    own (B, L, T + 1) log probabilities, or logits, of the blank and of the labels, as `of_labels` gathers them
    """
    B, L, _ = own.shape
    z, closed = _states(labels, own.dtype)
    emitted = own.transpose(0, 1).gather(-1, _places(labels)[None].expand(L, B, -1))
    best = own.new_full((L + 1, B, z.shape[1] + 2), -torch.inf)
    best[0, :, 1] = 0.0
    for before, after, chances in zip(best[:-1].unbind(), best[1:, :, 2:].unbind(), emitted.unbind(), strict=True):
        torch.maximum(before[:, 2:], before[:, 1:-1], out=after)
        torch.maximum(after, before[:, :-2] + closed, out=after).add_(chances)
    row, state = torch.arange(B, device=own.device), 2 * lengths
    ends = best[frames, row]
    state = state - (ends.gather(1, state[:, None] + 1) > ends.gather(1, state[:, None] + 2)).long()[:, 0]
    path = labels.new_zeros(B, L)
    for j in range(L - 1, -1, -1):
        real = j < frames
        path[:, j] = torch.where(real, z[row, state.clamp_min(0)], BLANK)
        came = torch.stack([best[j, row, state + 2 - step] for step in range(3)], -1)
        came[:, 2] += closed[row, state.clamp_min(0)]
        state = torch.where(real, state - came.argmax(-1), state).clamp_min(-1)
    return path


def chain(own: Tensor, frames: Tensor, labels: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """((B, T) log p of each label given those before it, (B) that nothing follows): see `functional.ctc.chain`.

    own (B, L, T + 1) log probabilities of the blank and of the labels, as `of_labels` gathers them
    """
    B, L, _ = own.shape
    z, closed = _states(labels, own.dtype)
    emitted = own.transpose(0, 1).gather(-1, _places(labels)[None].expand(L, B, -1))
    alpha = own.new_full((L + 1, B, z.shape[1] + 2), -torch.inf)
    alpha[0, :, 1] = 0.0
    began = own.new_full((L, *labels.shape), -torch.inf)
    for before, after, first, chances in zip(
        alpha[:-1].unbind(), alpha[1:, :, 2:].unbind(), began.unbind(), emitted.unbind(), strict=True
    ):
        entered = torch.logaddexp(before[:, 1:-1], before[:, :-2] + closed)
        torch.add(entered[:, 1::2], chances[:, 1::2], out=first)
        torch.add(torch.logaddexp(entered, before[:, 2:]), chances, out=after)
    began.masked_fill_(~padding(frames, L).T[..., None], -torch.inf)
    psi = F.pad(began.logsumexp(0), (1, 0))
    ends = alpha[frames, torch.arange(B, device=own.device)]
    ended = ends.gather(1, 2 * lengths[:, None] + torch.tensor([1, 2], device=own.device)).logsumexp(-1)
    return psi[:, 1:] - psi[:, :-1], ended - psi.gather(1, lengths[:, None])[:, 0]


def _states(labels: Tensor, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """(B, 2T + 1) each row's labels with blanks around them; 0 where the blank before may be skipped, else −∞."""
    z = labels.new_zeros(len(labels), 2 * labels.shape[1] + 1)
    z[:, 1::2] = labels
    closed = torch.full(z.shape, -torch.inf, dtype=kind, device=labels.device)
    closed[:, 1:2] = 0.0
    closed[:, 3::2].masked_fill_(labels[:, 1:] != labels[:, :-1], 0.0)
    return z, closed


def _places(labels: Tensor) -> Tensor:
    """(B, 2T + 1) where each state's number stands among those of the blank and the labels: 0, 1, 0, 2, 0, …"""
    places = labels.new_zeros(len(labels), 2 * labels.shape[1] + 1)
    places[:, 1::2] = torch.arange(1, labels.shape[1] + 1, device=labels.device)
    return places
