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
PIECE = 1 << 21
"""Logits that are made at once."""


def log_likelihood(match: Tensor, links: Tensor, lengths: Tensor, nodes: Tensor) -> Tensor:
    """(B) log p of each row's target; −∞ and without a gradient where it has more tokens than nodes can write.

    match (B, T, N) log p_j(yₜ); links (B, N, N) log E; lengths (B) of the targets; nodes (B) of the graphs. What stands
    behind a target or a graph may be anything, and so may links to a node that is not later.
    """
    return _LogLikelihood.apply(match, links, lengths, nodes)


def best_path(match: Tensor, links: Tensor, lengths: Tensor, nodes: Tensor) -> Tensor:
    """(B, T) the node that writes each token on the most probable path; 0 behind a target, and where there is no path.

    No table of origins is kept: the way back asks each step once more, of one node alone.
    """
    allowed = _alive(match, lengths, nodes)
    match, links = _sorted_out(match, links, allowed, nodes)
    into = links.mT.contiguous()  # row j: the links that lead to j
    arrived = [match[:, 0]]
    for t in range(1, match.shape[1] - 1):
        arrived.append((arrived[-1][:, None] + into).amax(-1) + match[:, t])
    node, path = nodes - 1, []
    for t in range(match.shape[1] - 2, 0, -1):
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


def _alive(match: Tensor, lengths: Tensor, nodes: Tensor) -> Tensor:
    """(B, T + 2, N) where each step can be on a path from the first node to the last: step 0 is the first node, steps
    1 … T write, and from the step behind them on the path stays in the last."""
    T, N = match.shape[1:]
    t = torch.arange(T + 2, device=match.device)[:, None]
    j = torch.arange(N, device=match.device)
    last, left = (nodes - 1)[:, None, None], lengths[:, None, None] + 1 - t  # nodes to come, the last among them
    return torch.where(left > 0, (j >= t) & (j + left <= last) & ((j > 0) | (t == 0)) & ((t > 0) | (j == 0)), j == last)


def _sorted_out(match: Tensor, links: Tensor, alive: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
    """(B, T + 2, N), (B, N, N): −∞ wherever no path leads, 0 at both ends and for staying in the last node."""
    N = links.shape[1]
    framed = torch.nn.functional.pad(match, (0, 0, 1, 1))
    j = torch.arange(N, device=links.device)
    last = (nodes - 1)[:, None]
    end = j == last
    framed = framed.masked_fill(end[:, None], 0.0).masked_fill(~alive, -torch.inf)
    links = links.masked_fill(~((j > j[:, None]) & (j <= last[..., None])), -torch.inf)
    return framed, links.masked_fill(end[:, None] & end[:, :, None], 0.0)


class _LogLikelihood(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, match: Tensor, links: Tensor, lengths: Tensor, nodes: Tensor) -> Tensor:
        T = match.shape[1]
        framed, clean = _sorted_out(match.double(), links.double(), _alive(match, lengths, nodes), nodes)
        value, posterior, steps, agree = _by_products(framed, clean)
        again = (~agree & _reached(lengths, nodes)).nonzero()[:, 0]
        if len(again):
            by_logarithms = _by_logarithms(framed[again], clean[again], nodes[again])
            for table, rows in zip((value, posterior, steps), by_logarithms, strict=True):
                table[again] = rows
        stays = torch.arange(links.shape[1], device=links.device) == (nodes - 1)[:, None]
        real = torch.arange(T, device=links.device) < lengths[:, None]
        posterior, steps = posterior[:, 1 : T + 1] * real[..., None], steps.masked_fill_(stays[:, :, None], 0.0)
        ctx.save_for_backward(posterior.to(match.dtype), steps.to(links.dtype))
        return value.to(match.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        posterior, steps = ctx.saved_tensors
        gradient = gradient[:, None, None]
        return posterior * gradient, steps * gradient, None, None


def _by_products(match: Tensor, links: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(B) log p; (B, T, N) and (B, N, N) the posteriors of nodes and links; (B) whether the numbers were long enough.

    a is forward and P ⊙ b backward, both scaled; E their matrix in one direction and Eᵀ in the other:
        x = (a E) ⊙ Pₜ,   a ← x / max x
    """
    B, T, N = match.shape
    largest = match.amax(-1)
    largest = largest.masked_fill(largest == -torch.inf, 0.0)
    P = (match - largest[..., None]).exp()
    E = links.exp()
    both, written = torch.cat([E, E.mT]), torch.cat([P, P.flip(1)])
    ways, raw, scales = P.new_empty(T, 2 * B, N), P.new_empty(T, 2 * B, N), P.new_ones(T, 2 * B, 1)
    ways[0] = written[:, 0]
    for t in range(1, T):
        torch.bmm(ways[t - 1][:, None], both, out=raw[t][:, None])
        torch.mul(raw[t], written[:, t], out=ways[t])
        torch.amax(ways[t], -1, keepdim=True, out=scales[t])
        ways[t] /= scales[t].clamp_min_(SMALLEST)
    logs = scales[..., 0].log().sum(0).view(2, B) + largest.sum(-1)
    a, behind = ways[:, :B], ways[:, B:].flip(0)  # at t: forward, and backward with what t writes
    b = raw[:, B:].flip(0)  # what was there before t wrote: row t + 1 of the loop's
    b[-1] = P[:, -1]
    together = a * b
    norm = together.sum(-1, keepdim=True)
    agree = (logs[0] - logs[1]).abs() <= AGREE * (1 + logs[0].abs())
    agree &= (norm > SMALLEST).all(0)[:, 0] & (scales > SMALLEST).all(0).view(2, B).all(0)
    inverse = torch.where(agree[:, None], norm.clamp_min(SMALLEST).reciprocal(), 0.0)
    posterior = (together * inverse).transpose(0, 1)
    steps = torch.bmm((a * inverse)[:-1].permute(1, 2, 0), behind[1:].transpose(0, 1)).mul_(E)
    return torch.where(agree, logs[0], -torch.inf), posterior, steps, agree


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
