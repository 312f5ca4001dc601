"""Two batched products around the weights, which are kept: the fastest for short rows on a CPU.

A softmax takes its mask as the first summand of the product; dropout takes its mask from random bytes.
"""

import torch
from torch import Tensor

from headway.kernels.attention import Engine, Request
from headway.kernels.dropout import dropout
from headway.normalizers.softmax import Softmax


class Matmul(Engine):
    def refuses(self, request: Request) -> str | None:
        return None if request.score.is_dot_product else "the score is not a dot product of changed queries and keys"

    def attention(self, request: Request) -> Tensor:
        softmax = isinstance(request.normalizer, Softmax)
        weights = dropout(_softmax(request) if softmax else _weights(request), request.dropout)
        return torch.bmm(weights.flatten(0, 1), request.v.flatten(0, 1)).unflatten(0, weights.shape[:2])


def _weights(request: Request) -> Tensor:
    """(B, H, T, S) by the normalizer's own definition."""
    q, k, scale = request.score.features(request.q, request.k)
    scores = torch.bmm((q * scale).flatten(0, 1), k.flatten(0, 1).mT).unflatten(0, q.shape[:2])
    if request.bias is not None:
        scores = scores + request.bias.to(scores.dtype)
    return request.normalizer.weights(scores, request.table())


def _softmax(request: Request) -> Tensor:
    """(B, H, T, S)"""
    q, k, scale = request.score.features(request.q, request.k)
    (B, H, T, _), S = q.shape, k.shape[2]
    added = request.mask.summand(T, S, q)
    if request.bias is not None:
        bias = request.bias.to(q.dtype)
        added = bias if added is None else bias + added
    q, k, empty = q.flatten(0, 1), k.flatten(0, 1).mT, None
    if added is None:
        scores = torch.bmm(q * scale, k)
    else:
        added = added.expand(B, H, T, S).reshape(B * H, T, S)
        if request.mask.has_empty_rows(T, S, q.device):  # softmax over minus infinity only has no gradient
            empty = ~torch.isfinite(added).any(-1, keepdim=True)
            added = added.masked_fill(empty, 0.0)
        scores = torch.baddbmm(added, q, k, alpha=scale)
    weights = scores.softmax(-1)
    return (weights if empty is None else weights.masked_fill(empty, 0.0)).unflatten(0, (B, H))
