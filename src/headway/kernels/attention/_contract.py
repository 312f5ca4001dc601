"""What an engine is given, and what it offers."""

from dataclasses import dataclass

from torch import Tensor

from headway.functional.masks import Mask
from headway.normalizers import Normalizer
from headway.scores import Score


@dataclass(frozen=True, slots=True)
class Request:
    """One attention to compute.

    q, k, v    (B, H, T, K), (B, H, S, K), (B, H, S, Kv)
    bias       broadcastable to (B, H, T, S), or None
    dropout    the share of weights that is dropped; 0 outside training
    """

    q: Tensor
    k: Tensor
    v: Tensor
    mask: Mask
    bias: Tensor | None
    score: Score
    normalizer: Normalizer
    dropout: float = 0.0

    def table(self) -> Tensor | None:
        """(B or 1, 1, T or 1, S) where may be looked; None where everywhere."""
        return self.mask.table(self.q.shape[2], self.k.shape[2], self.q.device)


class Engine:
    """One way to compute an attention."""

    def refuses(self, request: Request) -> str | None:
        """Why this engine cannot take the request; None where it can."""
        raise NotImplementedError

    def attention(self, request: Request) -> Tensor:
        """(B, H, T, Kv) equal to the definition in value and gradient, before the normalizer's `finish`."""
        raise NotImplementedError
