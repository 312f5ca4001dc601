"""Parts of a model switched off for a while: heads uniform or removed, layers that add nothing (Michel et al. 2019).

The weights are not touched, so nothing has to be put back but the switches. Without any switch the model computes what
it always does, bit for bit.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from headway.layers.mixers._knocked import Knocked
from headway.layers.mixers.attention import Attention
from headway.layers.norm import Residual

WAYS = ("removed", "uniform")
"""What a head that is knocked out gives: nothing, or the mean of all that it may look at."""


@contextmanager
def knocked_out(
    heads: Mapping[Attention, Sequence[int]], how: str = "removed", closed: Sequence[Residual] = ()
) -> Iterator[None]:
    """Inside, these heads give something else, and what the closed residuals go around adds nothing."""
    for attention, numbers in heads.items():
        attention.knocked = Knocked(tuple(numbers), how)
    for residual in closed:
        residual.closed = True
    try:
        yield
    finally:
        for attention in heads:
            attention.knocked = None
        for residual in closed:
            residual.closed = False
