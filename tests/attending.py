"""Attentions to compute: sizes of different primes, every rule that a mask can have, rules asked one by one."""

from dataclasses import replace

import torch
from torch import Tensor

from comparing import close, gradients, randoms
from headway.functional.attention import attention as definition
from headway.functional.masks import Mask, padding
from headway.kernels.attention import ENGINES, Request, attention, engine_named
from headway.normalizers import NORMALIZERS, Normalizer
from headway.scores import SCORES, Score

B, H, K, Kv = 2, 3, 8, 5

LENGTHS = torch.tensor([4, 7])
EDGES = torch.rand(B, 5, 7, generator=torch.Generator().manual_seed(1)) < 0.5
EDGES[:, :, 2] = True
KEYS = padding(LENGTHS, 7)
HOLES = torch.tensor([[False, True, False, True, True, False, False], [True, True, True, False, True, True, True]])
MASKS = {
    "none": (Mask(), 5, 7),
    "one position each": (Mask(), 1, 1),
    "one asks": (Mask(), 1, 7),
    "one is asked": (Mask(), 5, 1),
    "causal": (Mask(causal=True), 7, 7),
    "causal of length one": (Mask(causal=True), 1, 1),
    "causal, fewer ask": (Mask(causal=True), 5, 7),
    "causal, more ask": (Mask(causal=True), 7, 5),
    "causal behind a cache": (Mask(causal=True, offset=2), 5, 7),
    "causal behind a cache, as many asked": (Mask(causal=True, offset=2), 7, 7),
    "causal, the newest": (Mask(causal=True, offset=6), 1, 7),
    "padding": (Mask(KEYS), 5, 7),
    "padding, one asks": (Mask(KEYS), 1, 7),
    "padding in between": (Mask(HOLES), 5, 7),
    "padding of all alike": (Mask(KEYS[:1]), 5, 7),
    "causal and padding": (Mask(KEYS, causal=True), 7, 7),
    "window": (Mask(reach=2), 7, 7),
    "window behind a cache": (Mask(reach=2, offset=2), 5, 7),
    "window, causal": (Mask(reach=2, causal=True), 11, 11),
    "window, causal, padding": (Mask(KEYS, causal=True, reach=3), 7, 7),
    "edges": (Mask(edges=EDGES), 5, 7),
    "edges of all alike": (Mask(edges=EDGES[:1]), 5, 7),
    "all rules": (Mask(KEYS[:, :5], True, 3, torch.ones(B, 5, 5, dtype=torch.bool).tril()), 5, 5),
}
EMPTY = {
    "an empty row of the batch": (Mask(padding(torch.tensor([0, 7]), 7)), 5, 7),
    "a window over padding": (Mask(padding(torch.tensor([3, 7]), 7), reach=1), 7, 7),
    "a window behind all keys": (Mask(reach=1, offset=5), 5, 7),
    "a node without edges": (Mask(edges=torch.eye(5, 7, dtype=torch.bool).roll(-1, 1).triu()[None]), 5, 7),
    "nobody may look": (Mask(torch.zeros(B, 7, dtype=torch.bool)), 5, 7),
}
CASES = MASKS | EMPTY


def by_loop(mask: Mask, T: int, S: int) -> Tensor:
    """(B, 1, T, S) the rules, asked one by one: what no engine can have got wrong in the same way."""
    table = torch.ones(B, 1, T, S, dtype=torch.bool)
    for b in range(B):
        for i in range(T):
            for j in range(S):
                may = mask.keys is None or bool(mask.keys.expand(B, -1)[b, j])
                may &= not mask.causal or j <= i + mask.offset
                may &= mask.reach is None or abs(i + mask.offset - j) <= mask.reach
                may &= mask.edges is None or bool(mask.edges.expand(B, -1, -1)[b, i, j])
                table[b, 0, i, j] = may
    return table


def parts(score: str = "scaled_dot", normalizer: str = "softmax") -> tuple[Score, Normalizer]:
    return SCORES.build(SCORES.choose(score), H, K), NORMALIZERS.build(NORMALIZERS.choose(normalizer), H, Kv)


def parts_for(engine: str) -> tuple[Score, Normalizer]:
    """The usual ones, or the score that the engine is for."""
    return parts("additive" if engine == "additive" else "scaled_dot")


def inputs_for(T: int, S: int, biased: str, dtype: torch.dtype) -> list[Tensor]:
    shapes = [(B, H, T, K), (B, H, S, K), (B, H, S, Kv)]
    shapes += {"none": [], "per head": [(1, H, T, S)], "per row and head": [(B, H, T, S)]}[biased]
    return [x.requires_grad_() for x in randoms(*shapes, dtype=dtype)]


def request_of(inputs: list[Tensor], mask: Mask, score: Score, normalizer: Normalizer, dropout: float = 0.0) -> Request:
    q, k, v, bias = (*inputs, None)[:4]
    return Request(q, k, v, replace(mask, _made={}), bias, score, normalizer, dropout)


def defined(request: Request, seen: Tensor | None) -> Tensor:
    """What the definition gives, with the mask as a table that is given."""
    score, normalizer = request.score, request.normalizer
    output, _ = definition(request.q, request.k, request.v, seen, request.bias, score.scores, normalizer.weights)
    return normalizer.finish(output)


def agree(request: Request, seen: Tensor | None, engine: str, inputs: list[Tensor], near: float | None = None) -> None:
    """The engine's value, and its gradient for the inputs and all that learns, are those of the definition."""
    expected, found = defined(request, seen), attention(request, engine)
    close(found, expected, near)
    learned = [*inputs, *request.score.parameters(), *request.normalizer.parameters()]
    for one, other in zip(gradients(found, learned), gradients(expected, learned), strict=True):
        close(one, other, near)
    with torch.inference_mode():
        close(attention(replace(request, mask=replace(request.mask, _made={})), engine), expected.detach(), near)


def _takes(engine: str, dropout: float) -> bool:
    request = request_of(inputs_for(5, 7, "none", torch.float32), Mask(), *parts_for(engine), dropout)
    return engine_named(engine).refuses(request) is None


RUNNING = [engine for engine in ENGINES.names() if _takes(engine, 0.0)]
"""The engines that this machine can run."""
DROPPING = [engine for engine in RUNNING if _takes(engine, 0.1)]
"""Those of them that take dropout."""
