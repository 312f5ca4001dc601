"""Two batched products around the softmax: the fastest for short rows and under dropout on a CPU.

The mask enters as the first summand of the product, and dropout takes its mask from random bytes.
"""

import torch
from torch import Tensor

from headway.kernels.attention import Engine, Request
from headway.kernels.dropout import dropout
from headway.normalizers.softmax import Softmax


class Matmul(Engine):
    def refuses(self, request: Request) -> str | None:
        if not request.score.is_dot_product:
            return "the score is not a dot product of changed queries and keys"
        if not isinstance(request.normalizer, Softmax):
            return "it normalizes by softmax only"
        return None

    def attention(self, request: Request) -> Tensor:
        q, k, scale = request.score.features(request.q, request.k)
        (B, H, T, K), S = q.shape, k.shape[2]
        added = request.mask.summand(T, S, q)
        if request.bias is not None:
            bias = request.bias.to(q.dtype)
            added = bias if added is None else bias + added
        q, k, empty = q.reshape(B * H, T, K), k.reshape(B * H, S, K).transpose(1, 2), None
        if added is None:
            scores = torch.bmm(q * scale, k)
        else:
            added = added.expand(B, H, T, S).reshape(B * H, T, S)
            if request.mask.has_empty_rows(T, S, q.device):  # softmax over minus infinity only has no gradient
                empty = ~torch.isfinite(added).any(-1, keepdim=True)
                added = added.masked_fill(empty, 0.0)
            scores = torch.baddbmm(added, q, k, alpha=scale)
        weights = scores.softmax(-1)
        if empty is not None:
            weights = weights.masked_fill(empty, 0.0)
        weights = dropout(weights, request.dropout)
        return torch.bmm(weights, request.v.reshape(B * H, S, -1)).view(B, H, T, -1)
