"""Scores become weights.  One file each. A row that may look nowhere gives zeros and no gradient, never NaN."""

from torch import Tensor, nn

from headway.settings import Room


class Normalizer(nn.Module):
    """weights(scores, mask): (B, H, T, S) -> (B, H, T, S)."""

    def weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        """The weight of every key; where it depends on how many there are, those count that the mask allows."""
        raise NotImplementedError

    def finish(self, output: Tensor) -> Tensor:
        """(B, H, T, Kv) what is done to the weighted sums of the values; nothing unless a file says otherwise."""
        return output


NORMALIZERS = Room(__name__, Normalizer, "normalizer")
