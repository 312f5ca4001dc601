"""Self-attention, as it is taught: first one vector at a time, then as matrices, then with many heads.

This is the definition that every faster engine in `headway.kernels` is tested against, in value and gradient.
Sources: Vaswani et al. 2017, "Attention Is All You Need", equation 1 and section 3.2; Bahdanau et al. 2015 for
attention itself; Luong et al. 2015 for the dot product as a score.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

Score = Callable[[Tensor, Tensor], Tensor]
"""scores(q, k): how alike are a query and a key?  (B, H, T, K), (B, H, S, K) -> (B, H, T, S)"""
Normalizer = Callable[[Tensor, Tensor | None], Tensor]
"""weights(scores, mask): scores become weights.  (B, H, T, S) -> (B, H, T, S)"""


# --------------------------------------------------------------------------------------------- one vector at a time


def self_attention_by_hand(
    a: Float[Tensor, "N D"],
    W_q: Float[Tensor, "K D"],
    W_k: Float[Tensor, "K D"],
    W_v: Float[Tensor, "K D"],
) -> tuple[Float[Tensor, "N K"], Float[Tensor, "N N"]]:
    """b¹ … bᴺ from a¹ … aᴺ, term by term. The three matrices are all that is learned.

    Returns (b, α'), where α'[i, j] is how much bⁱ takes of vʲ.
    """
    N = len(a)
    q = [W_q @ a[i] for i in range(N)]  # what i asks for
    k = [W_k @ a[i] for i in range(N)]  # what i can be found by
    v = [W_v @ a[i] for i in range(N)]  # what i has to give

    b, weights = [], []
    for i in range(N):
        alpha = [q[i].dot(k[j]) / math.sqrt(len(k[j])) for j in range(N)]  # how relevant j is to i
        total = sum(torch.exp(alpha[j]) for j in range(N))
        alpha_prime = [torch.exp(alpha[j]) / total for j in range(N)]  # softmax
        b.append(sum((alpha_prime[j] * v[j] for j in range(N)), torch.zeros_like(v[0])))  # bⁱ = Σⱼ α'ᵢⱼ vʲ
        weights.append(torch.stack(alpha_prime))
    return torch.stack(b), torch.stack(weights)


# ---------------------------------------------------------------------------------------------- the same, as matrices


def self_attention(
    a: Float[Tensor, "N D"],
    W_q: Float[Tensor, "K D"],
    W_k: Float[Tensor, "K D"],
    W_v: Float[Tensor, "K D"],
) -> tuple[Float[Tensor, "N K"], Float[Tensor, "N N"]]:
    """The same as `self_attention_by_hand`, all positions at once: a row of Q, K, V, A, O belongs to one position."""
    Q, K, V = a @ W_q.T, a @ W_k.T, a @ W_v.T
    A = Q @ K.T / math.sqrt(K.shape[-1])
    A_prime = A.softmax(-1)
    return A_prime @ V, A_prime


# ------------------------------------------------------------------------------------------------- scores and weights


def dot(q: Float[Tensor, "*B T K"], k: Float[Tensor, "*B S K"]) -> Float[Tensor, "*B T S"]:
    """α = q · k  (Luong et al. 2015). Its spread grows with √K."""
    return q @ k.transpose(-2, -1)


def scaled_dot(q: Float[Tensor, "*B T K"], k: Float[Tensor, "*B S K"]) -> Float[Tensor, "*B T S"]:
    """α = q · k / √K  (Vaswani et al. 2017, equation 1)."""
    return dot(q, k) / math.sqrt(q.shape[-1])


def softmax(scores: Float[Tensor, "*B T S"], mask: Bool[Tensor, "*b #T #S"] | None = None) -> Float[Tensor, "*B T S"]:
    """α'ᵢⱼ = exp αᵢⱼ / Σₗ exp αᵢₗ over the positions that i may look at; zeros, without gradient, where it has none."""
    if mask is None:
        return scores.softmax(-1)
    weights = scores.masked_fill(~mask, -math.inf).softmax(-1)
    return torch.where(mask.any(-1, keepdim=True), weights, 0.0)


# --------------------------------------------------------------------------------------------------------- many heads


def split_heads(x: Float[Tensor, "B T D"], heads: int) -> Float[Tensor, "B H T K"]:
    """D = H × K numbers a position become H heads of K numbers each."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def merge_heads(x: Float[Tensor, "B H T K"]) -> Float[Tensor, "B T D"]:
    """The heads side by side again; undoes `split_heads`."""
    return x.transpose(1, 2).flatten(-2)


def attention(
    q: Float[Tensor, "B H T K"],
    k: Float[Tensor, "B H S K"],
    v: Float[Tensor, "B H S Kv"],
    mask: Bool[Tensor, "#B #H #T #S"] | None = None,
    bias: Float[Tensor, "#B #H #T #S"] | None = None,
    score: Score = scaled_dot,
    normalizer: Normalizer = softmax,
    dropout: float = 0.0,
) -> tuple[Float[Tensor, "B H T Kv"], Float[Tensor, "B H T S"]]:
    """Each position takes the average of the values, weighted by how well its query fits their keys.

    Queries and keys of one sequence make it self-attention; with the keys and values of another (the encoder's output)
    it is cross-attention, and T and S differ. Returns (output, weights); the weights are those before dropout.
    """
    alpha = score(q, k)
    if bias is not None:
        alpha = alpha + bias
    weights = normalizer(alpha, mask)
    return F.dropout(weights, dropout) @ v, weights


def multi_head_attention(
    x: Float[Tensor, "B T D"],
    memory: Float[Tensor, "B S D"],
    W_q: Float[Tensor, "D D"],
    W_k: Float[Tensor, "D D"],
    W_v: Float[Tensor, "D D"],
    W_o: Float[Tensor, "D D"],
    heads: int,
    mask: Bool[Tensor, "#B #H #T #S"] | None = None,
) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B H T S"]]:
    """Several attentions side by side, each with its own part of q, k and v, mixed by W_o (section 3.2.2).

    Self-attention where `memory` is `x`; otherwise cross-attention.
    """
    q, k, v = (split_heads(vectors @ W.T, heads) for vectors, W in ((x, W_q), (memory, W_k), (memory, W_v)))
    output, weights = attention(q, k, v, mask)
    return merge_heads(output) @ W_o.T, weights
