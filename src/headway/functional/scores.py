"""The scores beside the dot product, as formulae."""

from jaxtyping import Float
from torch import Tensor


def additive(
    q: Float[Tensor, "*B H T A"], k: Float[Tensor, "*B H S A"], w: Float[Tensor, "H A"]
) -> Float[Tensor, "*B H T S"]:
    """α = Σₐ wₐ tanh(qₐ + kₐ)  (Bahdanau et al. 2015, appendix A.1.2), of queries and keys that are projected already.

    Keeps T × S × A numbers for every head; the engine `additive` does not.
    """
    return ((q[..., :, None, :] + k[..., None, :, :]).tanh() * w[:, None, None, :]).sum(-1)
