"""Networks with a memory, as they are taught: one element after another changes what is known so far.

This is the definition that faster ways are tested against, in value and gradient. σ is the sigmoid, ⊙ the product of
numbers in the same place. Sources: Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000; Cho et al.
2014; Kim et al. 2019.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def lstm(
    x: Float[Tensor, "B T D"],
    W: Float[Tensor, "G D"],
    U: Float[Tensor, "G H"],
    b: Float[Tensor, " G"],
) -> Float[Tensor, "B T H"]:
    """What the cells show after each element; i lets in, f keeps, o shows. G = 4H: rows for i, f, g, o.

    cₜ = f ⊙ cₜ₋₁ + i ⊙ g,   hₜ = o ⊙ tanh(cₜ),   (i, f, g, o) = (σ, σ, tanh, σ)(W xₜ + U hₜ₋₁ + b)
    """
    h = c = x.new_zeros(len(x), U.shape[1])
    shown = []
    for t in range(x.shape[1]):
        i, f, g, o = (x[:, t] @ W.T + h @ U.T + b).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        shown.append(h)
    return torch.stack(shown, 1)


def gru(
    x: Float[Tensor, "B T D"],
    W: Float[Tensor, "G D"],
    U: Float[Tensor, "G H"],
    b: Float[Tensor, " G"],
    d: Float[Tensor, " G"],
) -> Float[Tensor, "B T H"]:
    """What is known after each element; r forgets for the proposal n, z keeps. G = 3H: rows for r, z, n.

    hₜ = z ⊙ hₜ₋₁ + (1 − z) ⊙ n,   n = tanh(W_n xₜ + b_n + r ⊙ (U_n hₜ₋₁ + d_n)),   (r, z) = σ(W xₜ + b + U hₜ₋₁ + d)

    Cho et al. write r ⊙ hₜ₋₁ before the product with U_n; behind it, as here and in torch, all products are one.
    """
    h = x.new_zeros(len(x), U.shape[1])
    known = []
    for t in range(x.shape[1]):
        r_x, z_x, n_x = (x[:, t] @ W.T + b).chunk(3, -1)
        r_h, z_h, n_h = (h @ U.T + d).chunk(3, -1)
        r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
        h = z * h + (1 - z) * (n_x + r * n_h).tanh()
        known.append(h)
    return torch.stack(known, 1)


def running_mean(
    x: Float[Tensor, "B T D"], forget: Float[Tensor, "B T D"], start: Float[Tensor, "B D"] | None = None
) -> Float[Tensor, "B T D"]:
    """cₜ = fₜ ⊙ cₜ₋₁ + (1 − fₜ) ⊙ xₜ (Kim et al. 2019): a mean of what came, the old forgotten by and by."""
    c = x.new_zeros(len(x), x.shape[2]) if start is None else start
    means = []
    for t in range(x.shape[1]):
        c = forget[:, t] * c + (1 - forget[:, t]) * x[:, t]
        means.append(c)
    return torch.stack(means, 1)
