"""The sum over all paths of a graph of nodes, its posteriors and its best path, for rows of different sizes at once.

`functional.dag` is the definition. Taken step by step with logsumexp, every step makes tables of N × N logarithms and
keeps them for the backward pass. Here a step is a product of a vector with the matrix E = exp(links), scaled so that
its largest number is 1 (Rabiner 1989, section V.A), forward and backward in one loop; the posteriors are then products,
those of all links one matrix product, and they are the gradient. Numbers inside have 64 bits. Where even these are too
short the two directions do not agree, and the row is computed again by logarithms.
"""

from typing import Any

import torch
from torch import Tensor

from headway.functional.dag import log_sum
from headway.kernels.linear import product, product_type

AGREE = 1e-9
"""How far the two directions may lie apart, relative to the logarithm."""
SMALLEST = 1e-280
SCALED = 4
"""Steps after which the numbers are scaled again: e^−160 a step are within reach of 64 bits."""
PIECE = 1 << 21
"""Logits that are made at once."""


def log_likelihood(match: Tensor, links: Tensor, lengths: Tensor, nodes: Tensor) -> Tensor:
    """(B) log p of each row's target; −∞ and without a gradient where it has more tokens than nodes can write.

    match (B, T, N) log p_j(yₜ); links (B, N, N) log E, −∞ where j ≤ i; lengths (B) of the targets; nodes (B) of the
    graphs. Behind the end of a target or a graph may stand any log probabilities.
    """
    return _LogLikelihood.apply(match, links, lengths, nodes)


def best_path(match: Tensor, links: Tensor, lengths: Tensor, nodes: Tensor) -> Tensor:
    """(B, T) the node that writes each token on the most probable path; 0 behind a target, and where there is no path.

    No table of origins is kept: the way back asks each step once more, of one node alone.
    """
    framed, stays = _framed(match, lengths, nodes), _staying(links, nodes, links.dtype)
    into = stays.mT.contiguous()  # row j: the links that lead to j
    arrived = [framed[:, 0]]
    for t in range(1, framed.shape[1] - 1):
        arrived.append((arrived[-1][:, None] + into).amax(-1) + framed[:, t])
    node, path = nodes - 1, []
    for t in range(framed.shape[1] - 2, 0, -1):
        own = into.take_along_dim(node[:, None, None], 1)[:, 0]
        node = (arrived[t] + own).argmax(-1)
        path.append(node)
    found = torch.stack(path[::-1], 1) if path else nodes.new_zeros(len(nodes), 0)
    real = torch.arange(found.shape[1], device=found.device) < lengths[:, None]
    return found.masked_fill(~(real & _reached(lengths, nodes)[:, None]), 0)


def emissions(x: Tensor, weight: Tensor, bias: Tensor, tokens: Tensor) -> Tensor:
    """(B, T, N) log softmax(x Wᵀ + b) of every node at the tokens of its row, the rows of a batch in pieces.

    x (B, N, D), weight (V, D), bias (V), tokens (B, T)
    """
    return _Emissions.apply(x, weight, bias, tokens)


# --------------------------------------------------------------------------------------------------- the sum over paths


def _reached(lengths: Tensor, nodes: Tensor) -> Tensor:
    return lengths <= nodes - 2


def _framed(match: Tensor, lengths: Tensor, nodes: Tensor) -> Tensor:
    """(B, T + 2, N): at step 0 a path is at the first node, at steps 1 … T it writes, behind them it stays at the last.

    −∞ for every node from which the last cannot be reached in as many steps as there are, 0 for first and last.
    """
    t = torch.arange(match.shape[1] + 2, device=match.device)
    last, left = nodes[:, None] - 1, lengths[:, None] + 1 - t  # steps to come, that to the last node among them
    lowest = torch.where(left > 0, t, last)
    highest = torch.where(left > 0, last - left, last)
    highest[:, 0].clamp_(max=0)
    j = torch.arange(match.shape[2], device=match.device)
    framed = torch.nn.functional.pad(match, (0, 0, 1, 1)).masked_fill_((j == last)[:, None], 0.0)
    return framed.masked_fill_((j < lowest[..., None]) | (j > highest[..., None]), -torch.inf)


def _staying(links: Tensor, nodes: Tensor, dtype: torch.dtype) -> Tensor:
    """A copy of the links, with one more: from the last node to itself."""
    staying = links.to(dtype, copy=True)
    staying[torch.arange(len(nodes), device=nodes.device), nodes - 1, nodes - 1] = 0.0
    return staying


class _LogLikelihood(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, match: Tensor, links: Tensor, lengths: Tensor, nodes: Tensor) -> Tensor:
        framed, staying = _framed(match.double(), lengths, nodes), _staying(links, nodes, torch.float64)
        value, posterior, steps, agree = _by_products(framed, staying)
        again = (~agree & _reached(lengths, nodes)).nonzero()[:, 0]
        if len(again):
            by_logarithms = _by_logarithms(framed[again], staying[again], nodes[again])
            for table, rows in zip((value, posterior, steps), by_logarithms, strict=True):
                table[again] = rows
        rows = torch.arange(len(nodes), device=nodes.device)
        steps[rows, nodes - 1, nodes - 1] = 0.0
        writes = torch.arange(match.shape[1], device=nodes.device) < lengths[:, None]
        ctx.save_for_backward((posterior[:, 1:-1] * writes[..., None]).to(match.dtype), steps.to(links.dtype))
        return value.to(match.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        posterior, steps = ctx.saved_tensors
        gradient = gradient[:, None, None]
        return posterior * gradient, steps * gradient, None, None


def _by_products(match: Tensor, links: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(B) log p; (B, T, N) and (B, N, N) the posteriors of nodes and links; (B) whether the numbers were long enough.

    a goes forward and P ⊙ b backward, both scaled now and then; E is their matrix one way and Eᵀ the other:
        x = (a E) ⊙ Pₜ,   a ← x / max x
    """
    B, T, N = match.shape
    largest = match.amax(-1, keepdim=True)
    largest.masked_fill_(largest == -torch.inf, 0.0)
    P, E = (match - largest).exp_(), links.exp()
    both, written = torch.cat([E, E.mT]), torch.cat([P, P.flip(1)], 0).transpose(0, 1)
    ways, raw, scales = P.new_empty(T, 2 * B, N), P.new_empty(T, 2 * B, 1, N), []
    ways[0] = before = written[0]
    for t, (way, x, p) in enumerate(zip(ways[1:].unbind(), raw[1:].unbind(), written[1:].unbind(), strict=True), 1):
        torch.bmm(before[:, None], both, out=x)
        before = torch.mul(x[:, 0], p, out=way)
        if t % SCALED == 0 or t == T - 1:
            scales.append(before.amax(-1, keepdim=True).clamp_min_(SMALLEST))
            before.div_(scales[-1])
    found = torch.cat(scales, 1).view(2, B, -1)
    logs = found.log().sum(-1) + largest.sum((1, 2))
    a, behind = ways[:, :B], ways[:, B:].flip(0)  # at t: forward, and backward with what t writes
    b = raw[:, B:, 0].flip(0)  # and without it, which is row t + 1 of the loop's
    b[-1] = P[:, -1]
    together = a * b
    norm = together.sum(-1, keepdim=True)
    agree = (logs[0] - logs[1]).abs() <= AGREE * (1 + logs[0].abs())
    agree &= (norm.amin((0, 2)) > SMALLEST) & (found.amin((0, 2)) > SMALLEST)
    inverse = norm.clamp_min_(SMALLEST).reciprocal_().mul_(agree[:, None])
    steps = torch.bmm((a * inverse)[:-1].permute(1, 2, 0), behind[1:].transpose(0, 1)).mul_(E)
    return torch.where(agree, logs[0], -torch.inf), together.mul_(inverse).transpose(0, 1), steps, agree


def _by_logarithms(match: Tensor, links: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same by logsumexp, for numbers of any size; the posteriors of what has no path at all are 0."""
    T = match.shape[1]
    into = [match[:, 0]]
    for t in range(1, T):
        into.append(log_sum(into[-1][:, :, None] + links, 1) + match[:, t])
    onward = [match[:, -1]]
    for t in range(T - 1, 0, -1):
        onward.append(log_sum(links + (onward[-1] + match[:, t])[:, None], 2))
    value = into[-1].gather(1, nodes[:, None] - 1)
    norm = value.masked_fill(value == -torch.inf, torch.inf)[..., None]
    a, b = torch.stack(into, 1), torch.stack(onward[::-1], 1)
    steps = torch.zeros_like(links)
    for t in range(1, T):
        behind = b[:, t] + match[:, t]
        steps += (a[:, t - 1, :, None] + links + behind[:, None] - norm).exp()
    return value[:, 0], (a + b - norm).exp(), steps


# ------------------------------------------------------------------------------------------------------ what is written


class _Emissions(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, tokens: Tensor) -> Tensor:
        kind, wide = product_type(x), torch.promote_types(x.dtype, torch.float32)
        ctx.kinds, rows, matrix = (x.dtype, weight.dtype, bias.dtype), x.to(kind), weight.to(kind)
        found, norms = [], []
        for piece in _pieces(rows, weight):
            logits = _logits(rows[piece], matrix, bias).to(wide)
            norms.append(logits.logsumexp(-1))
            own = logits.gather(-1, tokens[piece, None].expand(-1, x.shape[1], -1))
            found.append((own - norms[-1][..., None]).mT)
        ctx.save_for_backward(rows, matrix, bias, tokens, torch.cat(norms))
        return torch.cat(found).contiguous()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, matrix, bias, tokens, norms = ctx.saved_tensors
        of_x = torch.empty_like(rows)
        of_weight, of_bias = torch.zeros_like(matrix, dtype=norms.dtype), torch.zeros_like(bias, dtype=norms.dtype)
        for piece in _pieces(rows, matrix):
            logits, own = _logits(rows[piece], matrix, bias).to(norms.dtype), gradient[piece].mT
            p = (logits - norms[piece, :, None]).exp_().mul_(-own.sum(-1, keepdim=True))
            p.scatter_add_(-1, tokens[piece, None].expand(-1, rows.shape[1], -1), own.to(p.dtype))
            flat = p.flatten(0, 1).to(rows.dtype)
            of_x[piece] = product(flat, matrix.t()).view_as(rows[piece])
            of_weight += flat.t() @ rows[piece].flatten(0, 1)
            of_bias += p.sum((0, 1))
        x, weight, bias = ctx.kinds
        return of_x.to(x), of_weight.to(weight), of_bias.to(bias), None


def _logits(rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return product(rows.flatten(0, 1), weight, bias.to(rows.dtype)).view(*rows.shape[:2], len(weight))


def _pieces(rows: Tensor, weight: Tensor) -> list[slice]:
    """Rows of the batch whose logits are made at once."""
    each = max(1, PIECE // max(1, rows.shape[1] * len(weight)))
    return [slice(start, start + each) for start in range(0, len(rows), each)]
