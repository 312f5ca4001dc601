"""FlexAttention on CUDA: weights other than a softmax, and masks by rule whose forbidden blocks are skipped.

FlexAttention (Dong et al. 2024) changes scores before its softmax and returns the logarithm of the softmax's sum, lse.
That is enough for weights that are f(score), each for itself: f(α) = softmax(log f(α)) × exp(lse).

What is checked: these formulae in value and gradient, and the whole engine forward by FlexAttention's own definition on
a CPU, against ours. The compiled kernel has not been run, for want of a GPU.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from headway.functional.masks import Mask
from headway.kernels.attention import Engine, Request
from headway.kernels.attention._blocks import Blocks
from headway.normalizers import Normalizer
from headway.normalizers.relu import Relu
from headway.normalizers.relu_normed import ReluNormed
from headway.normalizers.sigmoid import Sigmoid
from headway.normalizers.softmax import Softmax
from headway.normalizers.softmax_plus_one import SoftmaxPlusOne


def log_relu(score: Tensor, n: Tensor) -> Tensor:
    """log max(0, α): minus infinity, without a gradient that is infinite, where α is not above 0."""
    above = score > 0
    return torch.where(above, torch.where(above, score, 1.0).log(), -torch.inf)


def log_sigmoid(score: Tensor, n: Tensor) -> Tensor:
    """log σ(α − log n), with n keys in sight."""
    return F.logsigmoid(score - n.log())


Change = Callable[[Tensor, Tensor], Tensor] | None
SUMS: dict[type[Normalizer], tuple[Change, Callable[[Tensor, Tensor], Tensor] | None]] = {
    Softmax: (None, None),
    SoftmaxPlusOne: (None, lambda lse, n: lse.sigmoid()),
    Relu: (log_relu, lambda lse, n: lse.exp() / n),
    ReluNormed: (log_relu, lambda lse, n: lse.exp()),
    Sigmoid: (log_sigmoid, lambda lse, n: lse.exp()),
}
"""For each normalizer how scores are changed, and what the softmax's sums are then multiplied with."""


class Flex(Engine):
    def refuses(self, request: Request) -> str | None:
        if request.q.device.type != "cuda":
            return "it has no backward on a CPU" if request.q.device.type == "cpu" else "it is for CUDA"
        if not request.score.is_dot_product:
            return "the score is not a dot product of changed queries and keys"
        if type(request.normalizer) not in SUMS:
            return "the normalizer is not a function of each score by itself"
        if request.dropout:
            return "it drops no weights"
        if request.bias is not None and request.bias.requires_grad:
            return "the bias learns"
        if request.mask.edges is not None:
            return "the edges of a graph are no rule"
        return None

    def attention(self, request: Request) -> Tensor:
        return summed(_compiled(), request)


def summed(flex_attention: Callable[..., Any], request: Request) -> Tensor:
    """(B, H, T, Kv) by FlexAttention, compiled or not."""
    from torch.nn.attention.flex_attention import AuxRequest

    q, k, scale = request.score.features(request.q, request.k)
    shape = q.shape[0], q.shape[1], q.shape[2], k.shape[2]
    n = Blocks(request.mask, shape, q, 1, 1).counts.clamp(min=1).expand(q.shape[0], -1, -1, -1)
    change, after = SUMS[type(request.normalizer)]
    bias = None if request.bias is None else request.bias.expand(shape)

    # Lambdas, for FlexAttention counts the arguments of what it is given.
    plus = (lambda score, b, h, i, j: score) if bias is None else (lambda score, b, h, i, j: score + bias[b, h, i, j])
    changed = plus if change is None else (lambda score, b, h, i, j: change(plus(score, b, h, i, j), n[b, 0, i, 0]))
    blocks = _blocks(request.mask, shape, q.device)
    output, more = flex_attention(q, k, request.v, changed, blocks, scale, return_aux=AuxRequest(lse=True))
    return output if after is None else output * after(more.lse.unsqueeze(-1), n).to(output.dtype)


def _blocks(mask: Mask, shape: tuple[int, int, int, int], device: torch.device) -> Any:
    """The mask as FlexAttention's table of blocks; None where all may be seen."""
    from torch.nn.attention.flex_attention import and_masks, create_block_mask

    B, _, T, S = shape
    keys = None if mask.keys is None else mask.keys.expand(B, S)
    reach, offset = mask.reach, mask.offset
    rules: list[Callable[..., Tensor]] = []
    if mask.causal:
        rules.append(lambda b, h, i, j: j <= i + offset)
    if reach is not None:
        rules.append(lambda b, h, i, j: (j - i - offset).abs() <= reach)
    if keys is not None:
        rules.append(lambda b, h, i, j: keys[b, j])
    if not rules:
        return None
    return create_block_mask(and_masks(*rules), None if keys is None else B, None, T, S, device=device)


@cache
def _compiled() -> Callable[..., Any]:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=True)
