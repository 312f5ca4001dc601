"""The readable formula itself: takes every request, and keeps the whole table of weights."""

from torch import Tensor

from headway.functional.attention import attention
from headway.kernels.attention import Engine, Request


class Definition(Engine):
    def refuses(self, request: Request) -> str | None:
        return None

    def attention(self, request: Request) -> Tensor:
        return _defined(request)[0]


def weighted(request: Request) -> tuple[Tensor, Tensor]:
    """(output, weights) of a request: what inspection shows, whichever engine ran."""
    output, weights = _defined(request)
    return request.normalizer.finish(output), weights


def _defined(request: Request) -> tuple[Tensor, Tensor]:
    return attention(
        request.q,
        request.k,
        request.v,
        request.table(),
        request.bias,
        request.score.scores,
        request.normalizer.weights,
        request.dropout,
    )
