"""Scores become weights.  One file each. A row that may look nowhere gives zeros and no gradient, never NaN."""

from torch import Tensor, nn

from headway.settings import Room


class Normalizer(nn.Module):
    """weights(scores, mask): (B, H, T, S) -> (B, H, T, S)."""

    def weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        raise NotImplementedError


NORMALIZERS = Room(__name__, Normalizer, "normalizer")
