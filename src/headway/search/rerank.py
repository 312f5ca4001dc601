"""Reranking: of several sequences that were written at once, the one that the autoregressive decoder likes best.

All candidates of all rows are read in one pass, which knows every right beginning (noisy parallel decoding, Gu et al.
2018, section 3.4).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from headway.search import Choice, Hypotheses, Hypothesis
from headway.search.beam import penalty

Score = Callable[[Sequence[int], Sequence[tuple[int, ...]]], Sequence[Sequence[float]]]
"""(the row of each sequence, the sequences) -> the log probability of each token, and END's last."""


def rerank(candidates: Hypotheses, score: Score, length_penalty: float = 1.0, nbest: int = 1) -> Hypotheses:
    """For each row the best of its candidates by log p / ((5 + length) / 6)^α; the log probabilities are the decoder's.

    Where one was cut by the limit, its END is not counted, and it stands behind all that have ended.
    """
    rows = [row for row, found in enumerate(candidates) for _ in found]
    flat = [hypothesis for found in candidates for hypothesis in found]
    scored = iter(score(rows, [hypothesis.tokens for hypothesis in flat]) if flat else ())
    return [_ordered(found, [next(scored) for _ in found], length_penalty)[:nbest] for found in candidates]


def _ordered(found: Sequence[Hypothesis], log_p: Sequence[Sequence[float]], alpha: float) -> list[Hypothesis]:
    own = [
        replace(each, log_p=tuple(chances[: len(each.tokens) + each.finished]), calls=each.calls + 1)
        for each, chances in zip(found, log_p, strict=True)
    ]
    values = [each.score / penalty(len(each.tokens) + 1, alpha) for each in own]
    order = sorted(range(len(own)), key=lambda n: (own[n].finished, values[n]), reverse=True)
    return [_told(own[n], n, [(other, values[other]) for other in order], values[n]) for n in order]


def _told(one: Hypothesis, number: int, ranks: Sequence[tuple[int, float]], value: float) -> Hypothesis:
    """The same with its place among the candidates behind the reasons of the draft, where reasons are wanted."""
    if one.trace is None:
        return one
    others = tuple((other, rank) for other, rank in ranks if other != number)
    choice = Choice("candidate", 0, number, value, others, one.calls - 1)
    return replace(one, trace=(*one.trace, choice))
