"""Draft and verify: many tokens guessed, all of them read in one call, and kept as far as greedy would write them.

A call on k guesses says at k + 1 positions what the decoder would write there. As far as that agrees with the guesses
it is what greedy writes; where it first differs the right token is known, too, for nothing. So each call brings a token
at least, and there are no more calls than greedy has steps (Stern et al. 2018; Xia et al. 2023).

Products of many rows round otherwise than those of one. Where the two best tokens are closer than that can move them,
the position is read again as greedy reads it: one token at a time, from the last position that was read so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, device

from headway.kernels.argmax import argmax, best_and_lead
from headway.search import Choice, Extend, Hypothesis, Watch
from headway.search.guesses import Guesses
from headway.search.stepwise import choices, is_close, log_p_of


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a sequence that is verified.

    limit           tokens that it may have, END not counted
    prefix          tokens that it begins with
    close           logits that are nearer to each other than this are compared again by single steps; more where they
                    are above 20, in proportion, as rounding grows with them
    tolerance       how much less probable than the best (in log probability) a guess may be; above 0 this is not greedy
    scores, trace   whether log probabilities, and the reasons, are wanted
    """

    begin: int
    end: int
    limit: int
    prefix: tuple[int, ...] = ()
    close: float = 1e-4
    tolerance: float = 0.0
    scores: bool = False
    trace: bool = False


def verify(
    extend: Extend, state: Any, rules: Rules, guesses: Guesses, where: device, watch: Watch | None = None
) -> Hypothesis:
    """What greedy writes for one row; its calls are those of the decoder."""
    row = _Row(extend, state, rules, where)
    while not row.done:
        guesses.learn(*row.call(guesses.propose(row.read, rules.limit - row.written)))
        if watch is not None:
            watch(tuple)
    return row.found()


class _Row:
    """One sequence while it is written.

    read       BEGIN and what is written
    cached     how many of these are in the state
    exact      how many of these were read one at a time
    why        of each position what decided it, and in which call
    """

    def __init__(self, extend: Extend, state: Any, rules: Rules, where: device):
        self.extend, self.state, self.rules, self.where = extend, state, rules, where
        given = rules.prefix[: rules.prefix.index(rules.end)] if rules.end in rules.prefix else rules.prefix
        self.read = [rules.begin, *given[: rules.limit]]
        self.cached = self.exact = self.calls = 0
        self.done = self.finished = self.close = False
        self.log_p: list[float] = []
        self.trace: list[Choice] = []
        self.why: dict[int, tuple[str | None, int]] = {}

    @property
    def written(self) -> int:
        return len(self.read) - 1

    def call(self, guess: Sequence[int]) -> tuple[int, int, list[int]]:
        """Read what was not read yet, and the guesses; write as far as they are right, and one token more.

        Returns how many guesses were right, the token behind them, and what would come behind the first wrong one.
        """
        start, known = self.cached, len(self.read) - self.cached
        fed = [*self.read[start:], *(token for token in guess if token != self.rules.end)]
        alone = len(fed) == 1 and self.exact == self.cached
        logits = self._extend(fed)
        call = self.calls - 1
        asked = [*self.read[start + 1 :], *guess]
        best, clear, behind = self._seen(logits, asked)
        agreed, token = 0, self.rules.end
        for i in range(known - 1, len(logits)):
            offered = asked[i] if i < len(asked) else None
            token, what = self._decided(logits, i, best[i], offered, behind[i], alone or clear[i])
            if token != self.rules.end and self.written >= self.rules.limit:
                self.done = True
                break
            self.why[self.written] = what, self.calls - 1 if what == "single" else call
            self.read.append(token)
            if token == self.rules.end:
                self.done = self.finished = True
            if token != offered or self.done:
                break
            agreed += 1
        self._tell(logits, start)
        self._take_back()
        return agreed, token, best[known + agreed :] if agreed < len(guess) else []

    def _decided(
        self, logits: Tensor, i: int, best: int, offered: int | None, behind: float, clear: bool
    ) -> tuple[int, str | None]:
        """The token behind what is written, and what decided it; None where nothing was guessed."""
        if self.written < len(self.rules.prefix):
            return self.rules.prefix[self.written], None
        if self.rules.tolerance and offered is not None and behind <= self.rules.tolerance:
            return offered, "accepted"
        if not clear and not self.rules.tolerance:
            logits[i], self.close = self._single(), True
            return int(argmax(logits[i : i + 1])), "single"
        return best, None if offered is None else "accepted" if best == offered else "corrected"

    def _extend(self, tokens: Sequence[int]) -> Tensor:
        """(k) tokens behind what is in the state -> (k, V) logits behind each."""
        logits, self.state = self.extend(torch.tensor([tokens], device=self.where), self.state)
        if len(tokens) == 1 and self.exact == self.cached:
            self.exact += 1
        self.cached += len(tokens)
        self.calls += 1
        return logits[0]

    def _seen(self, logits: Tensor, asked: Sequence[int]) -> tuple[list[int], list[bool], list[float]]:
        """At each position the best token, whether it clearly is, and how far what was asked is behind it."""
        best, lead = best_and_lead(logits)
        told = [best.float(), (~is_close(logits, best, lead, self.rules.close)).float()]
        if self.rules.tolerance:
            place = torch.tensor([*asked, *[self.rules.end] * (len(best) - len(asked))], device=self.where)[:, None]
            told.append((logits.gather(1, best[:, None]) - logits.gather(1, place))[:, 0].float())
        found, clear, *more = torch.stack(told).tolist()
        behind = more[0] if more else [0.0] * len(found)
        return [int(token) for token in found], [bool(one) for one in clear], behind

    def _single(self) -> Tensor:
        """(V) logits behind what is written, read as greedy does."""
        self.cached = self.exact
        self.state.crop(self.exact)
        return [self._extend([token]) for token in self.read[self.exact :]][-1][0]

    def _take_back(self) -> None:
        """Forget the guesses that were wrong, so that all that is in the state is written."""
        if self.cached > self.written:
            self.cached, self.exact = self.written, min(self.exact, self.written)
            self.state.crop(self.cached)

    def _tell(self, logits: Tensor, start: int) -> None:
        """Keep the log probabilities of what this call has written, and the reasons; row 0 is position `start`."""
        end, until = self.rules.end, self.written
        if self.rules.scores and (first := len(self.log_p)) < until:
            tokens = torch.tensor(self.read[first + 1 :], device=self.where)
            self.log_p += log_p_of(logits[first - start : until - start], tokens).tolist()
        if self.rules.trace and (first := len(self.trace)) < until:
            tokens = torch.tensor(self.read[first + 1 :], device=self.where)
            for n, choice in enumerate(choices(logits[first - start : until - start], tokens, end), first):
                what, call = self.why.get(n, (None, self.calls - 1))
                self.trace.append(choice(n, call, what))

    def found(self) -> Hypothesis:
        tokens = self.read[1:-1] if self.finished else self.read[1:]
        trace = tuple(self.trace) if self.rules.trace else None
        return Hypothesis(
            tuple(tokens), tuple(self.log_p), self.finished, calls=self.calls, close=self.close, trace=trace
        )
