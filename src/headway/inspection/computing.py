"""One head by its numbers, in the order in which they are taught: q, k and v; scores; normalizer; weighted sum.

Everything is recomputed by the definition from what the layer was given, as the weights of a view are.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headway.inspection.maps import Labels
from headway.inspection.view import DIGITS
from headway.kernels.attention import Request
from headway.kernels.attention.definition import weighted
from headway.layers.mixers.attention import Attention, Given
from headway.scores import Score

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Computation:
    """
    asking, asked      T elements that look, S that are looked at
    score, normalizer  which of both it is
    x, memory          (T, D), (S, D) the vectors a that the layer was given; the same in self-attention
    q, k, v            (T, K), (S, K), (S, K) what the head's three matrices make of them
    compared           (T, A), (S, A) what the score brings together, where that is not q and k as they are: positions
                       turned them, the score changed them
    scale              of a dot product: scores = scale × q · k
    weight             (A) of the additive score: scores = Σₐ wₐ tanh(qₐ + kₐ)
    scores             (T, S) α
    bias               (T, S) what positions, or a graph, add to α
    allowed            (T, S) who may look where; None where everybody may everywhere
    weights            (T, S) α′
    output             (T, K) b
    """

    part: str
    layer: int
    head: int
    asking: Labels
    asked: Labels
    score: str
    normalizer: str
    x: Numbers
    memory: Numbers
    q: Numbers
    k: Numbers
    v: Numbers
    compared: tuple[Numbers, Numbers] | None
    scale: float | None
    weight: Numbers | None
    scores: Numbers
    bias: Numbers | None
    allowed: NDArray[np.bool_] | None
    weights: Numbers
    output: Numbers

    @property
    def size(self) -> int:
        """Numbers in all."""
        arrays = [self.x, self.memory, self.q, self.k, self.v, self.scores, self.weights, self.output]
        more = [*(self.compared or ()), *(one for one in (self.bias, self.allowed) if one is not None)]
        return sum(one.size for one in [*arrays, *more])

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values, under the same names; `compared` as {q, k}."""
        names = ("x", "memory", "q", "k", "v", "weight", "scores", "bias", "weights", "output")
        compared = None if self.compared is None else dict(zip("qk", map(_told, self.compared), strict=True))
        return {
            **{name: getattr(self, name) for name in ("part", "layer", "head", "score", "normalizer", "scale")},
            "asking": list(self.asking),
            "asked": list(self.asked),
            **{name: _told(getattr(self, name)) for name in names},
            "compared": compared,
            "allowed": None if self.allowed is None else self.allowed.tolist(),
        }


def computed(
    layer: Attention, given: Given, part: str, number: int, head: int, asking: Labels, asked: Labels
) -> Computation:
    """The numbers of a head of layer `number`, for one input."""
    x, look, memory = given
    read = x if memory is None else memory
    request = layer.request(x, look, None, memory)
    output, weights = weighted(request)
    T, S = len(asking), len(asked)
    q, k, v = (made(vectors) for made, vectors in ((layer.query, x), (layer.key, read), (layer.value, read)))
    own = slice(head * layer.head_size, (head + 1) * layer.head_size)
    q, k, v = q[0, :T, own], k[0, :S, own], v[0, :S, own]
    compared, scale, weight = _compared(layer.score, request, head)
    pairs = () if compared is None else ((compared[0][:T], q), (compared[1][:S], k))
    same = all(torch.allclose(one, other, 1e-4, 1e-5) for one, other in pairs)  # larger products round otherwise
    return Computation(
        part, number, head, asking, asked, _name(layer.score), _name(layer.normalizer),
        _numbers(x[0, :T]), _numbers(read[0, :S]), _numbers(q), _numbers(k), _numbers(v),
        None if compared is None or same else (_numbers(compared[0][:T]), _numbers(compared[1][:S])),
        scale, None if weight is None else _numbers(weight),
        _numbers(layer.score.scores(request.q, request.k)[0, head, :T, :S]),
        None if request.bias is None else _numbers(_table(request.bias, weights)[head, :T, :S]),
        _allowed(request, weights, head, T, S),
        _numbers(weights[0, head, :T, :S]), _numbers(output[0, head, :T]),
    )  # fmt: skip


def _compared(score: Score, request: Request, head: int) -> tuple[tuple[Tensor, Tensor] | None, float | None, Any]:
    """The queries and keys that meet, and the scale or the weights with which they do; None for a score of its own."""
    if score.is_dot_product:
        q, k, scale = score.features(request.q, request.k)
        return (q[0, head], k[0, head]), scale, None
    try:
        q, k, weight = score.terms(request.q, request.k)
    except NotImplementedError:
        return None, None, None
    return (q[0, head], k[0, head]), None, weight[head]


def _allowed(request: Request, weights: Tensor, head: int, T: int, S: int) -> NDArray[np.bool_] | None:
    table = request.table()
    allowed = None if table is None else _table(table, weights)[head, :T, :S]
    return None if allowed is None or bool(allowed.all()) else allowed.cpu().numpy()


def _table(some: Tensor, weights: Tensor) -> Tensor:
    """(H, T, S) of what may be the same for heads or rows."""
    return some.expand_as(weights)[0]


def _name(module: nn.Module) -> str:
    """The name by which a setting chooses it: that of its file."""
    return type(module).__module__.rpartition(".")[2]


def _numbers(some: Tensor) -> Numbers:
    return some.float().cpu().numpy()


def _told(some: Numbers | None) -> list[Any] | None:
    return None if some is None else some.astype(np.float64).round(DIGITS).tolist()
