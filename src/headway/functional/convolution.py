"""A window that slides over a sequence, as it is taught: each position takes from its neighbours, by place and not by
content.

This is the definition that the layer is tested against, in value and gradient. Sources: Waibel et al. 1989 for windows
over time; Dauphin et al. 2017 for the gate.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def convolution(x: Float[Tensor, "B T D"], W: Float[Tensor, "k E D"], behind: int) -> Float[Tensor, "B T E"]:
    """yᵢ = Σⱼ Wⱼ xᵢ₊ⱼ, j from −(k − 1 − behind) to behind; zeros stand before the first element and after the last."""
    k, T = len(W), x.shape[1]
    padded = F.pad(x, (0, 0, k - 1 - behind, behind))
    return torch.stack([sum(padded[:, i + j] @ W[j].T for j in range(k)) for i in range(T)], 1)  # type: ignore[arg-type]


def depthwise_convolution(x: Float[Tensor, "B T D"], w: Float[Tensor, "k D"], behind: int) -> Float[Tensor, "B T D"]:
    """yᵢ = Σⱼ wⱼ ⊙ xᵢ₊ⱼ: a convolution with diagonal matrices, every channel by itself."""
    return convolution(x, torch.diag_embed(w), behind)


def gated(x: Float[Tensor, "*B E"]) -> Float[Tensor, "*B D"]:
    """a ⊙ σ(b) where x is a and b side by side (Dauphin et al. 2017, equation 1): b decides how much of a passes."""
    a, b = x.chunk(2, -1)
    return a * b.sigmoid()
