"""What the model is trained to make small: each loss as (sum, count), so that parts of a batch add up exactly."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F


def cross_entropy(
    logits: Float[Tensor, "*N V"],
    targets: Int[Tensor, "*N"],
    counted: Bool[Tensor, "*N"],
    smoothing: float = 0.0,
    weights: Float[Tensor, " V"] | None = None,
    shares: Float[Tensor, "*N"] | None = None,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """−Σ log p(target), summed over the rows that are counted; the targets of the others may be anything.

    smoothing    this share of the target is spread evenly over all V (Szegedy et al. 2016, section 7)
    weights      how much a row counts, by its target; the count is then the sum of these weights
    shares       how much each row counts by itself; the count is then the sum of these, times the weights
    """
    targets = torch.where(counted, targets, 0)
    log_p = logits.log_softmax(-1)
    right = log_p.gather(-1, targets[..., None])[..., 0]
    loss = -(1 - smoothing) * right - smoothing * log_p.mean(-1)
    share = counted.to(logits.dtype) if weights is None else torch.where(counted, weights[targets], 0.0)
    share = share if shares is None else share * shares
    return (loss * share).sum(), share.sum()


def binary_cross_entropy(
    logits: Float[Tensor, "B V"], targets: Float[Tensor, "B V"], weights: Float[Tensor, " V"] | None = None
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Several labels at once: every label is its own yes or no; averaged over the labels, summed over the rows.

    weights      how much a yes counts more than a no, by label
    """
    loss = F.binary_cross_entropy_with_logits(logits, targets, pos_weight=weights, reduction="none")
    return loss.mean(-1).sum(), logits.new_tensor(len(logits))


def squared_error(
    values: Float[Tensor, " B"], targets: Float[Tensor, " B"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Σ (value − target)²: the loss of a number."""
    return ((values - targets) ** 2).sum(), values.new_tensor(len(values))


def absolute_error(
    values: Float[Tensor, " B"], targets: Float[Tensor, " B"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Σ |value − target|: the loss of a number whose median is asked for, to which a few far off ones mean little."""
    return (values - targets).abs().sum(), values.new_tensor(len(values))
