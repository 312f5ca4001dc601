"""Normalizers on a block of scores, with their backward by hand.

Scores (b, h, t, s) hold minus infinity where may not be looked, and may be overwritten; `counts` (b or 1, 1, t, 1) says
how many keys are left. What multiplies a whole row of weights is kept out of them (`factor`) and goes into the output,
which is smaller. What takes long to find for a row (`threshold`) is found once and kept until backward.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from headway.normalizers import Normalizer
from headway.normalizers.entmax15 import Entmax15
from headway.normalizers.relu import Relu
from headway.normalizers.relu_normed import ReluNormed
from headway.normalizers.sigmoid import Sigmoid
from headway.normalizers.softmax import Softmax
from headway.normalizers.softmax_plus_one import SoftmaxPlusOne
from headway.normalizers.sparsemax import Sparsemax


class Weights:
    """How scores become weights, and the gradient of weights that of scores."""

    by_element = False
    "Whether a weight depends on its own score alone."

    def threshold(self, scores: Tensor, counts: Tensor) -> Tensor | None:
        """(b, h, t, 1) what is kept of each row; None for nothing."""
        return None

    def factor(self, counts: Tensor) -> Tensor | None:
        """What every weight of a row is to be multiplied with; None for nothing."""
        return None

    def weights(self, scores: Tensor, counts: Tensor, threshold: Tensor | None) -> Tensor:
        raise NotImplementedError

    def gradient(self, weights: Tensor, gradient: Tensor, dot: Tensor) -> Tensor:
        """dot (b, h, t, 1) is the sum over a row of weights × gradient, which is output × its gradient."""
        raise NotImplementedError


class SoftmaxWeights(Weights):
    def weights(self, scores: Tensor, counts: Tensor, threshold: Tensor | None) -> Tensor:
        weights = scores.softmax(-1)
        return weights if counts.all() else weights.masked_fill_(counts == 0, 0.0)

    def gradient(self, weights: Tensor, gradient: Tensor, dot: Tensor) -> Tensor:
        return gradient.sub_(dot).mul_(weights)


class SoftmaxPlusOneWeights(SoftmaxWeights):
    """A softmax over one score more, which is 0 and whose weight goes nowhere."""

    def weights(self, scores: Tensor, counts: Tensor, threshold: Tensor | None) -> Tensor:
        largest = scores.amax(-1, keepdim=True).clamp_(min=0.0)
        weights = scores.sub_(largest).exp_()
        return weights.mul_(weights.sum(-1, keepdim=True).add_(largest.neg_().exp_()).reciprocal_())


class ReluNormedWeights(Weights):
    by_element = True

    def weights(self, scores: Tensor, counts: Tensor, threshold: Tensor | None) -> Tensor:
        return scores.relu_()

    def gradient(self, weights: Tensor, gradient: Tensor, dot: Tensor) -> Tensor:
        return torch.ops.aten.threshold_backward.grad_input(gradient, weights, 0, grad_input=gradient)


class ReluWeights(ReluNormedWeights):
    def factor(self, counts: Tensor) -> Tensor | None:
        return counts.clamp(min=1).reciprocal_()


class SigmoidWeights(Weights):
    by_element = True

    def weights(self, scores: Tensor, counts: Tensor, threshold: Tensor | None) -> Tensor:
        return scores.sub_(counts.clamp(min=1).log_()).sigmoid_()

    def gradient(self, weights: Tensor, gradient: Tensor, dot: Tensor) -> Tensor:
        return torch.ops.aten.sigmoid_backward.grad_input(gradient, weights, grad_input=gradient)


class SparsemaxWeights(Weights):
    """max(0, α − τ). The sum of a row falls in τ, convex, so Newton's steps from the left never pass the root.

    They take 5 to 10 passes over the row where sorting it takes as long as a hundred.
    """

    def threshold(self, scores: Tensor, counts: Tensor) -> Tensor:
        x = self._moved(scores)
        return _root(x, lambda above: (above.sum(-1, keepdim=True) - 1) / above.sign().sum(-1, keepdim=True))

    def weights(self, scores: Tensor, counts: Tensor, threshold: Tensor | None) -> Tensor:
        assert threshold is not None
        weights = self._moved(scores).sub_(threshold).relu_()
        return weights if counts.all() else weights.masked_fill_(counts == 0, 0.0)

    def gradient(self, weights: Tensor, gradient: Tensor, dot: Tensor) -> Tensor:
        return _less_mean(gradient, weights.sign())

    def _moved(self, scores: Tensor) -> Tensor:
        """The scores with the largest of each row at 0, which puts τ between −1 and 0."""
        return scores - scores.amax(-1, keepdim=True).clamp_(min=torch.finfo(scores.dtype).min)


class Entmax15Weights(SparsemaxWeights):
    """max(0, α/2 − τ)²."""

    def threshold(self, scores: Tensor, counts: Tensor) -> Tensor:
        def step(above: Tensor) -> Tensor:
            return (above.square().sum(-1, keepdim=True) - 1) / (2 * above.sum(-1, keepdim=True))

        return _root(self._moved(scores), step)

    def weights(self, scores: Tensor, counts: Tensor, threshold: Tensor | None) -> Tensor:
        return super().weights(scores, counts, threshold).square_()

    def gradient(self, weights: Tensor, gradient: Tensor, dot: Tensor) -> Tensor:
        return _less_mean(gradient, weights.sqrt())

    def _moved(self, scores: Tensor) -> Tensor:
        return super()._moved(scores).mul_(0.5)


def _root(x: Tensor, step: Callable[[Tensor], Tensor], most: int = 50) -> Tensor:
    """(b, h, t, 1) where the steps from −1 end; x (b, h, t, s) has its largest number at 0 in every row."""
    root = x.new_full((*x.shape[:-1], 1), -1.0)
    for _ in range(most):
        further = step((x - root).relu_()).clamp_(min=0.0, max=1.0)
        root += further
        if further.max() < 4 * torch.finfo(x.dtype).eps:
            break
    return root


def _less_mean(gradient: Tensor, u: Tensor) -> Tensor:
    """u (g − (u · g) / Σ u) (Peters et al. 2019, section 3.3), u = α'^(2 − a); zeros in an empty row."""
    mean = (u * gradient).sum(-1, keepdim=True) / u.sum(-1, keepdim=True).clamp_(min=0.5)
    return gradient.sub_(mean).mul_(u)


BY_HAND: dict[type[Normalizer], Weights] = {
    Softmax: SoftmaxWeights(),
    SoftmaxPlusOne: SoftmaxPlusOneWeights(),
    Relu: ReluWeights(),
    ReluNormed: ReluNormedWeights(),
    Sigmoid: SigmoidWeights(),
    Sparsemax: SparsemaxWeights(),
    Entmax15: Entmax15Weights(),
}
