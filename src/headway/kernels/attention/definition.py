"""The readable formula itself: takes every request, and keeps the whole table of weights."""

from torch import Tensor

from headway.functional.attention import attention
from headway.kernels.attention import Engine, Request
from headway.kernels.dropout import dropout


class Definition(Engine):
    def refuses(self, request: Request) -> str | None:
        return None

    def attention(self, request: Request) -> Tensor:
        output, weights = _defined(request)
        if request.dropout:  # from the generator that the other engines draw from, too
            return dropout(weights, request.dropout) @ request.v
        return output


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
    )
