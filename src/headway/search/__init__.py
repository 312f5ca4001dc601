"""How a sequence is found: loops over a `step` function that know no model.  One file each.

    step(tokens, state) -> (logits, state)     tokens (R) the last of each row, logits (R, V) for the next
    extend(tokens, state) -> (logits, state)   tokens (R, T) that follow what was read, logits (R, T, V) behind each

The state offers `select(rows, same_sources)`, so that a search can drop, repeat and reorder its rows, and
`crop(length)`, so that what was read in vain can be taken back.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from torch import Tensor


class State(Protocol):
    """What a decoder keeps between steps."""

    def select(self, rows: Tensor, same_sources: bool = False) -> None:
        """Go on with some rows, in the order asked; `same_sources` where every row keeps its source."""

    def crop(self, length: int) -> None:
        """Forget the positions from `length` on."""


Step = Callable[[Tensor, Any], tuple[Tensor, Any]]
Extend = Callable[[Tensor, Any], tuple[Tensor, Any]]


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision on the way to a sequence, as plain data: a trace is a row of them.

    what      token, end, length, blank, node, draft, accepted, corrected, …: what was decided
    where     the position, frame or node that it is about, from 0
    taken     the token's number, or the length or node itself, as `what` says
    log_p     the log probability of what was taken
    others    (number, log probability) of the next best
    call      in which pass of a decoder it was made, from 0
    """

    what: str
    where: int
    taken: int
    log_p: float = 0.0
    others: tuple[tuple[int, float], ...] = ()
    call: int = 0


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One sequence found: its tokens without BEGIN and END, and the log probability of each.

    log_p        behind those of the tokens stands that of the end: of END, or of the length, the blanks, the last link
    finished     False where the length limit cut it; then there is none of the end among the log probabilities
    alignment    for each token the source position it looked at most and how much, where that was asked; empty where
                 the source has no elements
    calls        passes through decoders that this sequence took, drafts among them
    close        whether a decision was so close that another order of sums might turn it, as neighbours in a batch make
    trace        why it was written so, where that was asked
    """

    tokens: tuple[int, ...]
    log_p: tuple[float, ...] = ()
    finished: bool = True
    alignment: tuple[tuple[int, float], ...] | None = None
    calls: int = field(default=0, compare=False)
    close: bool = field(default=False, compare=False)
    trace: tuple[Choice, ...] | None = field(default=None, compare=False)

    @property
    def score(self) -> float:
        """The log probability of the whole."""
        return sum(self.log_p, 0.0)


Hypotheses = list[list[Hypothesis]]
"""For each row its hypotheses, best first."""

Written = Callable[[], Iterable[tuple[int, int]]]
"""Gives (row, token) of every row that a step has written to; worked out when it is called."""
Watch = Callable[[Written], None]
"""Called after every step; what it raises ends the search."""

Mode = Literal["auto", "greedy", "beam", "sample", "nat", "rerank", "verify"]


@dataclass(frozen=True)
class Search:
    """How to search.

    mode             auto: greedy's answer by the fastest exact way, or nat of what can nothing else; greedy: the most
                     probable token at every step; beam: the best of `beam` sequences side by side; sample: drawn;
                     nat: all at once; rerank: several written at once, the best by the autoregressive decoder; verify:
                     drafted, and verified by it: greedy's answer in fewer calls
    nbest            hypotheses to return for each row, at most `beam`
    length_penalty   α in log p / ((5 + length) / 6)^α (Wu et al. 2016, equation 14): 0 favours short outputs
    prefixes         tokens that each row must begin with; one that can never be written (UNKNOWN) has no probability
                     and counts nothing
    scores           whether log probabilities are wanted; greedy is faster without
    limit            tokens that a row may have at most; None leaves it to the decoder
    alignments       whether it is wanted where in the source each token looked
    trace            whether it is wanted why each sequence was written
    candidates       of `rerank`: sequences that are written at once for each row
    verify_rows      of `auto`: batches of at most so many rows are drafted and verified, larger ones go step by step
    sources          of `verify`: the tokens of each row's source, where they are of the vocabulary that is written, to
                     copy guesses from
    tolerance        of `verify`: how much less probable than the best (in log probability) an accepted token may be
    temperature      of `sample`: logits are divided by it
    top_k, top_p     of `sample`: only the k most probable tokens; only as many as have this probability together
    seed             of `sample`
    numbers          of `sample`: the number of each row, which with the seed gives its draws; None for 0 everywhere
    watch            who follows: greedy and sample tell it every token, all that take steps that one was made
    """

    mode: Mode = "auto"
    beam: int = 5
    nbest: int = 1
    length_penalty: float = 1.0
    prefixes: Sequence[Sequence[int]] | None = None
    scores: bool = False
    limit: int | None = None
    alignments: bool = False
    trace: bool = False
    candidates: int = 5
    verify_rows: int = 0
    sources: Sequence[Sequence[int]] | None = None
    tolerance: float = 0.0
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 0
    numbers: Sequence[int] | None = None
    watch: Watch | None = field(default=None, compare=False)
