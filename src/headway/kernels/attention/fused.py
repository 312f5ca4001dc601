"""torch's scaled_dot_product_attention: never makes the table of T × S weights (Dao et al. 2022, FlashAttention)."""

from torch import Tensor
from torch.nn import functional as F

from headway.kernels.attention import Engine, Request
from headway.normalizers.softmax import Softmax


class Fused(Engine):
    def refuses(self, request: Request) -> str | None:
        if not request.score.is_dot_product:
            return "the score is not a dot product of changed queries and keys"
        if not isinstance(request.normalizer, Softmax):
            return "it normalizes by softmax only"
        return None

    def attention(self, request: Request) -> Tensor:
        q, k, scale = request.score.features(request.q, request.k)
        mask, dropout = request.mask, request.dropout
        T, S = q.shape[2], k.shape[2]
        only_causal = mask.causal and mask.keys is mask.reach is mask.edges is None and request.bias is None
        if only_causal and T == S and mask.offset == 0:  # torch's own rule is top-left: right for T = S alone
            return F.scaled_dot_product_attention(q, k, request.v, None, dropout, True, scale=scale)
        added = mask.table(T, S, q.device)
        if request.bias is not None:
            summand = mask.summand(T, S, q)
            added = request.bias.to(q.dtype) if summand is None else request.bias.to(q.dtype) + summand
        if added is not None:
            added = added.expand(q.shape[0], -1, T, -1)
        return F.scaled_dot_product_attention(q, k, request.v, added, dropout, scale=scale)
