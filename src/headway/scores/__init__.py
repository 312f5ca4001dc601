"""How alike are a query and a key?  One file each.

Most scores are a dot product of changed queries and keys. Such a score says how it changes them (`features`), and is
computed by every engine at once; any other score implements `scores` alone and runs on the engines that take it.
"""

from torch import Tensor, nn

from headway.functional import attention  # the module, for the file dot.py would hide a function of that name
from headway.settings import Room


class Score(nn.Module):
    """scores(q, k): (B, H, T, K), (B, H, S, K) -> (B, H, T, S)."""

    is_dot_product = True

    def features(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor, float]:
        """(q', k', scale) such that the score is scale × q' · k'."""
        raise NotImplementedError

    def scores(self, q: Tensor, k: Tensor) -> Tensor:
        q, k, scale = self.features(q, k)
        return attention.dot(q * scale, k)


SCORES = Room(__name__, Score, "score")
