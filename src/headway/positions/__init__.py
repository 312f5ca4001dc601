"""How is order told?  Self-attention by itself knows none. One file each.

Three hooks, each the identity unless a file says otherwise: a position may be added to the vectors, may turn queries
and keys, or may give a bias to the scores.
"""

from torch import Tensor, nn

from headway.settings import Room


class Position(nn.Module):
    """Made once for a stack, of its settings, the width, the heads, and whether the stack sees only earlier positions.

    A position that gives a bias says so (`gives_bias`), for not every mixer has scores to add it to.
    """

    positions: int | None = None
    "How many there are; None where there is no end to them."
    gives_bias = False

    def add(self, x: Tensor, offset: int = 0) -> Tensor:
        """Put the position into the vectors (B, T, D); the first is number `offset`."""
        return x

    def turn(self, x: Tensor, offset: int = 0) -> Tensor:
        """Turn queries or keys (B, H, T, K) by their position; the first is number `offset`."""
        return x

    def bias(self, T: int, S: int, offset: int = 0) -> Tensor | None:
        """(1, H, T, S) what is added to the scores; None for nothing. The first asking position is number `offset`."""
        return None


POSITIONS = Room(__name__, Position, "position")
