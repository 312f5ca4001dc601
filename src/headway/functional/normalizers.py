"""The normalizers beside softmax, as formulae: a row of scores becomes a row of weights.

Where a weight depends on how many positions a row may look at, n counts those that the mask allows and never padding;
a row that may look nowhere gives zeros and no gradient.
"""

import math
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F


def relu(scores: Float[Tensor, "*B T S"], mask: Bool[Tensor, "*b #T #S"] | None = None) -> Float[Tensor, "*B T S"]:
    """α'ᵢⱼ = max(0, αᵢⱼ) / n  (Wortsman et al. 2023, "Replacing softmax with ReLU in Vision Transformers")."""
    return rectified(scores, mask) / allowed(scores, mask)


def rectified(scores: Float[Tensor, "*B T S"], mask: Bool[Tensor, "*b #T #S"] | None = None) -> Float[Tensor, "*B T S"]:
    """α'ᵢⱼ = max(0, αᵢⱼ)  (Zhang et al. 2021, "Sparse Attention with Linear Units", section 3)."""
    return scores.relu() if mask is None else scores.masked_fill(~mask, 0.0).relu()


def sigmoid(scores: Float[Tensor, "*B T S"], mask: Bool[Tensor, "*b #T #S"] | None = None) -> Float[Tensor, "*B T S"]:
    """α'ᵢⱼ = 1 / (1 + exp(−αᵢⱼ + log n))  (Ramapuram et al. 2024): a score of zero weighs about 1 / n."""
    scores = scores - allowed(scores, mask).log()
    return (scores if mask is None else scores.masked_fill(~mask, -math.inf)).sigmoid()


def softmax_plus_one(
    scores: Float[Tensor, "*B T S"], mask: Bool[Tensor, "*b #T #S"] | None = None
) -> Float[Tensor, "*B T S"]:
    """α'ᵢⱼ = exp αᵢⱼ / (1 + Σₗ exp αᵢₗ)  (Miller 2023, "Attention Is Off By One").

    The 1 is a key of score zero with nothing to give: the softmax with it, less its own weight.
    """
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return F.pad(scores, (0, 1)).softmax(-1)[..., :-1]


def sparsemax(scores: Float[Tensor, "*B T S"], mask: Bool[Tensor, "*b #T #S"] | None = None) -> Float[Tensor, "*B T S"]:
    """α'ᵢⱼ = max(0, αᵢⱼ − τᵢ), with τᵢ such that the row sums to one  (Martins & Astudillo 2016, algorithm 1)."""
    return _Entmax.apply(scores, mask, 2.0)


def entmax15(scores: Float[Tensor, "*B T S"], mask: Bool[Tensor, "*b #T #S"] | None = None) -> Float[Tensor, "*B T S"]:
    """α'ᵢⱼ = max(0, αᵢⱼ/2 − τᵢ)², with τᵢ such that the row sums to one  (Peters et al. 2019, algorithm 2)."""
    return _Entmax.apply(scores, mask, 1.5)


def gated_rms_norm(
    x: Float[Tensor, "*B H T K"], scale: Float[Tensor, "H 1 K"], gate: Float[Tensor, "H 1 K"], eps: float = 1e-6
) -> Float[Tensor, "*B H T K"]:
    """scale ∘ x / rms(x) ∘ σ(gate ∘ x), with one rms over all heads of a position  (Zhang et al. 2021, section 3)."""
    mean_square = x.square().mean((-3, -1), keepdim=True)
    return scale * x * (mean_square + eps).rsqrt() * (gate * x).sigmoid()


def allowed(scores: Float[Tensor, "*B T S"], mask: Bool[Tensor, "*b #T #S"] | None) -> Tensor:
    """n, broadcastable to the scores: how many positions each row may look at; 1 where there is none."""
    if mask is None:
        return scores.new_tensor(max(1, scores.shape[-1]))
    count = mask.expand(*mask.shape[:-1], scores.shape[-1]).sum(-1, keepdim=True)
    return count.clamp(min=1).to(scores.dtype)


# ------------------------------------------------------------------------------------------------ thresholds by sorting


def sparsemax_threshold(x: Float[Tensor, "*B S"]) -> Float[Tensor, "*B 1"]:
    """τ with Σ max(0, x − τ) = 1: the k largest are above it, k the last for which 1 + k x₍ₖ₎ > x₍₁₎ + … + x₍ₖ₎."""
    x = x.sort(-1, descending=True).values
    k = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype, device=x.device)
    total = x.cumsum(-1)
    last = (1 + k * x > total).sum(-1, keepdim=True)
    return (total.gather(-1, last - 1) - 1) / last


def entmax15_threshold(x: Float[Tensor, "*B S"]) -> Float[Tensor, "*B 1"]:
    """τ with Σ max(0, x − τ)² = 1: of the k largest, with mean M and spread S, it is M − √((1 − S) / k)."""
    x = x.sort(-1, descending=True).values
    k = torch.arange(1, x.shape[-1] + 1, dtype=x.dtype, device=x.device)
    mean, mean_square = x.cumsum(-1) / k, x.square().cumsum(-1) / k
    spread = k * (mean_square - mean.square())
    threshold = mean - ((1 - spread) / k).clamp(min=0).sqrt()
    last = (threshold <= x).sum(-1, keepdim=True)
    return threshold.gather(-1, last - 1)


class _Entmax(torch.autograd.Function):
    """α-entmax for α = 2 and α = 1.5, with the gradient of its definition and not of the sorting.

    With u = p^(2 − α) on the support, ∂L/∂scores = u ∘ (g − (u · g) / Σ u)  (Peters et al. 2019, section 3.3).
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, mask: Tensor | None, alpha: float) -> Tensor:
        weights = _entmax(scores, mask, alpha) if scores.numel() else scores.clone()
        ctx.save_for_backward(weights)
        ctx.alpha = alpha
        return weights.to(scores.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (weights,) = ctx.saved_tensors
        u = (weights > 0).to(weights.dtype) if ctx.alpha == 2 else weights.sqrt()
        mean = (u * gradient).sum(-1, keepdim=True) / u.sum(-1, keepdim=True).clamp(min=0.5)  # 0 in an empty row only
        return (u * (gradient - mean)).to(gradient.dtype), None, None


def _entmax(scores: Tensor, mask: Tensor | None, alpha: float) -> Tensor:
    """The weights, at least in float32: in bfloat16 a sum along a row loses its small summands.

    Moved so that the largest is 0, a row has its threshold at −1 or above: what lies lower weighs nothing and may as
    well lie there, and the sums stay finite.
    """
    x = scores.to(torch.promote_types(scores.dtype, torch.float32))
    if mask is not None:
        x = x.masked_fill(~mask, -math.inf)
    x = (x - x.amax(-1, keepdim=True).clamp(min=torch.finfo(x.dtype).min)) * (alpha - 1)
    x = x.clamp(min=-1)
    if alpha == 2:
        weights = (x - sparsemax_threshold(x).clamp(min=-1)).relu()
    else:
        weights = (x - entmax15_threshold(x).clamp(min=-1)).relu().square()
    return weights if mask is None else weights.masked_fill(~mask, 0.0)
