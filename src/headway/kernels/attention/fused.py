"""torch's scaled_dot_product_attention: never makes the table of T × S weights (Dao et al. 2022, FlashAttention)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from headway.kernels.attention import Engine, Request
from headway.normalizers.softmax import Softmax
from headway.normalizers.softmax_plus_one import SoftmaxPlusOne


class Fused(Engine):
    def refuses(self, request: Request) -> str | None:
        if not request.score.is_dot_product:
            return "the score is not a dot product of changed queries and keys"
        if not isinstance(request.normalizer, Softmax | SoftmaxPlusOne):
            return "it normalizes by softmax only, with or without a one beside the sum"
        if request.dropout and request.q.device.type == "cpu":
            return "on a CPU its dropout is drawn on one thread, and not by the seed of an update's part"
        return None

    def attention(self, request: Request) -> Tensor:
        """The one beside the sum is a key of score zero with nothing to give, before all others."""
        q, k, scale = request.score.features(request.q, request.k)
        v, by_order = request.v, _only_by_order(request)
        added = None if by_order else _added(request, q)
        one_more = isinstance(request.normalizer, SoftmaxPlusOne)
        if one_more:
            k, v = (F.pad(x, (0, 0, 1, 0)) for x in (k, v))
            q = F.pad(q, (0, 0, 1, 0)) if by_order else q  # so that each still sees as many as stand before it
            added = None if added is None else F.pad(added, (1, 0), value=added.dtype == torch.bool)
        output = F.scaled_dot_product_attention(q, k, v, added, request.dropout, by_order, scale=scale)
        return output[:, :, 1:] if one_more and by_order else output


def _only_by_order(request: Request) -> bool:
    """Whether torch's own rule is the whole mask. It is top-left: right for T = S alone."""
    mask = request.mask
    alone = mask.causal and mask.keys is mask.reach is mask.edges is None and request.bias is None
    return alone and mask.offset == 0 and request.q.shape[2] == request.k.shape[2]


def _added(request: Request, q: Tensor) -> Tensor | None:
    """(B, H or 1, T, S) where may be looked, or what is added to the scores; None for nothing."""
    T, S = q.shape[2], request.k.shape[2]
    added = request.table()
    if request.bias is not None:
        summand = request.mask.summand(T, S, q)
        added = request.bias.to(q.dtype) if summand is None else request.bias.to(q.dtype) + summand
    return None if added is None else added.expand(q.shape[0], -1, T, S)
