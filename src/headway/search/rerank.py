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


def rerank(
    candidates: Hypotheses, score: Score, length_penalty: float = 1.0, nbest: int = 1, trace: bool = False
) -> Hypotheses:
    """For each row the best of its candidates by log p / ((5 + length) / 6)^α; the log probabilities are the decoder's.

    Where one was cut by the limit, its END is not counted, and it stands behind all that have ended. A trace says which
    candidate it was, and what all were worth.
    """
    rows = [row for row, found in enumerate(candidates) for _ in found]
    flat = [hypothesis for found in candidates for hypothesis in found]
    scored = iter(score(rows, [hypothesis.tokens for hypothesis in flat]) if flat else ())
    return [_ordered(found, [next(scored) for _ in found], length_penalty, trace)[:nbest] for found in candidates]


def _ordered(
    found: Sequence[Hypothesis], log_p: Sequence[Sequence[float]], alpha: float, trace: bool
) -> list[Hypothesis]:
    own = [
        replace(each, log_p=tuple(chances[: len(each.tokens) + each.finished]), calls=each.calls + 1)
        for each, chances in zip(found, log_p, strict=True)
    ]
    values = [each.score / penalty(len(each.tokens) + 1, alpha) for each in own]
    order = sorted(range(len(own)), key=lambda n: (own[n].finished, values[n]), reverse=True)
    return [replace(own[n], trace=_told(n, order, values, own[n].calls) if trace else None) for n in order]


def _told(number: int, order: Sequence[int], values: Sequence[float], calls: int) -> tuple[Choice, ...]:
    """One candidate among all, with what each is worth."""
    others = tuple((other, values[other]) for other in order if other != number)
    return (Choice("candidate", 0, number, values[number], others, calls - 1),)
