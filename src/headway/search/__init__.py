"""How a sequence is found: loops over a `step` function that know no model.  One file each.

    step(tokens, state) -> (logits, state)     tokens (R) the last of each row, logits (R, V) for the next

The state offers `select(rows, same_sources)`, so that a search can drop, repeat and reorder its rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from torch import Tensor


class State(Protocol):
    """What a decoder keeps between steps."""

    def select(self, rows: Tensor, same_sources: bool = False) -> None:
        """Go on with some rows, in the order asked; `same_sources` where every row keeps its source."""


Step = Callable[[Tensor, Any], tuple[Tensor, Any]]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One sequence found: its tokens without BEGIN and END, and the log probability of each, END's last.

    finished     False where the length limit cut it before END; then there is no END among the log probabilities
    alignment    for each token the source position it looked at most and how much, where that was asked; empty where
                 the source has no elements
    """

    tokens: tuple[int, ...]
    log_p: tuple[float, ...] = ()
    finished: bool = True
    alignment: tuple[tuple[int, float], ...] | None = None

    @property
    def score(self) -> float:
        """The log probability of the whole."""
        return sum(self.log_p, 0.0)


Hypotheses = list[list[Hypothesis]]
"""For each row its hypotheses, best first."""


@dataclass(frozen=True)
class Search:
    """How to search.

    mode             greedy: the most probable token at every step; beam: the best of `beam` sequences side by side
    nbest            hypotheses to return for each row, at most `beam`
    length_penalty   α in log p / ((5 + length) / 6)^α (Wu et al. 2016, equation 14): 0 favours short outputs
    prefixes         tokens that each row must begin with; one that can never be written (UNKNOWN) has no probability
                     and counts nothing
    scores           whether log probabilities are wanted; greedy is faster without
    limit            tokens that a row may have at most; None leaves it to the decoder
    alignments       whether it is wanted where in the source each token looked
    """

    mode: Literal["greedy", "beam"] = "greedy"
    beam: int = 5
    nbest: int = 1
    length_penalty: float = 1.0
    prefixes: Sequence[Sequence[int]] | None = None
    scores: bool = False
    limit: int | None = None
    alignments: bool = False
