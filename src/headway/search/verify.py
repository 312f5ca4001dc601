"""Draft and verify: many tokens guessed, all of them read in one call, and kept as far as greedy would write them.

A call on k guesses says at k + 1 positions what the decoder would write there. As far as that agrees with the guesses
it is what greedy writes; where it first differs the right token is known, too, for nothing. So each call brings a token
at least, and there are no more calls than greedy has steps (Stern et al. 2018; Xia et al. 2023).

Products of many rows round otherwise than those of one. Where the two best tokens are closer than that can move them,
the position is read again as greedy reads it: one token at a time, from the last position that was read so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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
    row = _Alone(extend, state, rules, where)
    while not row.done:
        guesses.learn(*row.call(guesses.propose(row.read, rules.limit - row.written)))
        if watch is not None:
            watch(tuple)
    return row.found()


def verify_together(
    extend: Extend,
    state: Any,
    rules: Sequence[Rules],
    guesses: Sequence[Guesses],
    where: device,
    watch: Watch | None = None,
) -> list[Hypothesis]:
    """What greedy writes for several rows, each call for all that are not done; the rules differ in limit and prefix.

    What the row that is furthest behind has not read is read again for all. A row of which a position must be read
    again alone ends there: it is `close`, and to be verified by itself.
    """
    rows = [_Row(one, where) for one in rules]
    going, cached = list(range(len(rows))), 0
    while going:
        cached = min(cached, *(rows[n].written for n in going)) if cached else 0
        state.crop(cached)
        offered = [guesses[n].propose(rows[n].read, rules[n].limit - rows[n].written) for n in going]
        fed = [rows[n].fed(guess, cached) for n, guess in zip(going, offered, strict=True)]
        asked = [rows[n].asked(guess, cached) for n, guess in zip(going, offered, strict=True)]
        logits, state = extend(_table(fed, max(map(len, fed)), rules[0].end, where), state)
        seen, width = _see(logits, asked, rules[0]), logits.shape[1]
        for place, (n, guess) in enumerate(zip(going, offered, strict=True)):
            rows[n].calls += 1
            first = place * width
            guesses[n].learn(*rows[n].take(seen.part(first, first + len(fed[place])), guess, cached))
        cached += width
        still = [place for place, n in enumerate(going) if not rows[n].done]
        if 0 < len(still) < len(going):
            state.select(torch.tensor(still, device=where))
        going = [going[place] for place in still]
        if watch is not None:
            watch(tuple)
    return [row.found() for row in rows]


class _Seen(NamedTuple):
    """What a call says at each of its positions, those of one row after those of another.

    logits   (k, V)
    best     the best token
    clear    whether it clearly is
    behind   how far what was asked is behind it; 0 where there is no tolerance
    """

    logits: Tensor
    best: list[int]
    clear: list[bool]
    behind: list[float]

    def part(self, start: int, end: int) -> "_Seen":
        return _Seen(self.logits[start:end], self.best[start:end], self.clear[start:end], self.behind[start:end])


def _see(logits: Tensor, asked: Sequence[Sequence[int]], rules: Rules) -> _Seen:
    """(R, T, V) logits, and the tokens of each row that are asked about."""
    where, width, logits = logits.device, logits.shape[1], logits.flatten(0, 1)
    best, lead = best_and_lead(logits)
    told = [best.float(), (~is_close(logits, best, lead, rules.close)).float()]
    if rules.tolerance:
        place = _table(asked, width, rules.end, where).flatten()
        told.append((logits.gather(1, best[:, None]) - logits.gather(1, place[:, None]))[:, 0].float())
    found, clear, *more = torch.stack(told).tolist()
    behind = more[0] if more else [0.0] * len(found)
    return _Seen(logits, [int(token) for token in found], [bool(one) for one in clear], behind)


def _table(rows: Sequence[Sequence[int]], width: int, end: int, where: device) -> Tensor:
    """(R, width) tokens, END behind the shorter rows."""
    return torch.tensor([[*row, *[end] * (width - len(row))] for row in rows], device=where)


class _Row:
    """One sequence while it is written.

    read       BEGIN and what is written
    close      whether a position was read again, or would have to be
    why        of each position what decided it, and in which call
    """

    def __init__(self, rules: Rules, where: device):
        self.rules, self.where = rules, where
        given = rules.prefix[: rules.prefix.index(rules.end)] if rules.end in rules.prefix else rules.prefix
        self.read = [rules.begin, *given[: rules.limit]]
        self.calls = 0
        self.done = self.finished = self.close = False
        self.log_p: list[float] = []
        self.trace: list[Choice] = []
        self.why: dict[int, tuple[str | None, int]] = {}

    @property
    def written(self) -> int:
        return len(self.read) - 1

    def fed(self, guess: Sequence[int], start: int) -> list[int]:
        """What a call reads from position `start` on: what is written, and the guesses."""
        return [*self.read[start:], *(token for token in guess if token != self.rules.end)]

    def asked(self, guess: Sequence[int], start: int) -> list[int]:
        """What may stand behind each position of a call."""
        return [*self.read[start + 1 :], *guess]

    def take(self, seen: _Seen, guess: Sequence[int], start: int, alone: bool = False) -> tuple[int, int, list[int]]:
        """Write as far as the guesses are right, and one token more, by a call from position `start` on.

        alone    whether it was read as greedy reads it

        Returns how many guesses were right, the token behind them, and what would come behind the first wrong one.
        """
        known, asked, call = len(self.read) - start, self.asked(guess, start), self.calls - 1
        agreed, token = 0, self.rules.end
        for i in range(known - 1, len(seen.best)):
            offered = asked[i] if i < len(asked) else None
            token, what = self._decided(seen, i, offered, alone)
            if token is None:
                self.done = self.close = True
                return agreed, self.rules.end, []
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
        self._tell(seen.logits, start)
        return agreed, token, seen.best[known + agreed :] if agreed < len(guess) else []

    def _decided(self, seen: _Seen, i: int, offered: int | None, alone: bool) -> tuple[int | None, str | None]:
        """The token behind what is written, and what decided it; None where nothing was guessed.

        No token where the position must be read again, and cannot be.
        """
        if self.written < len(self.rules.prefix):
            return self.rules.prefix[self.written], None
        if self.rules.tolerance and offered is not None and seen.behind[i] <= self.rules.tolerance:
            return offered, "accepted"
        if not (alone or seen.clear[i] or self.rules.tolerance):
            return self._read_again(seen.logits[i : i + 1]), "single"
        best = seen.best[i]
        return best, None if offered is None else "accepted" if best == offered else "corrected"

    def _read_again(self, logits: Tensor) -> int | None:
        """The token behind what is written, as greedy finds it; its logits (1, V) take the place of those given."""
        return None

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


class _Alone(_Row):
    """One sequence by itself, with a state of its own, so that positions can be read again.

    cached     how many of what is read are in the state
    exact      how many of these were read one at a time
    """

    def __init__(self, extend: Extend, state: Any, rules: Rules, where: device):
        super().__init__(rules, where)
        self.extend, self.state = extend, state
        self.cached = self.exact = 0

    def call(self, guess: Sequence[int]) -> tuple[int, int, list[int]]:
        """Read what was not read yet, and the guesses, and `take` what is right."""
        start, fed = self.cached, self.fed(guess, self.cached)
        alone = len(fed) == 1 and self.exact == self.cached
        seen = _see(self._extend(fed)[None], [self.asked(guess, start)], self.rules)
        found = self.take(seen, guess, start, alone)
        if (
            self.cached > self.written
        ):  # forget the guesses that were wrong, so that all that is in the state is written
            self.cached, self.exact = self.written, min(self.exact, self.written)
            self.state.crop(self.cached)
        return found

    def _extend(self, tokens: Sequence[int]) -> Tensor:
        """(k) tokens behind what is in the state -> (k, V) logits behind each."""
        logits, self.state = self.extend(torch.tensor([tokens], device=self.where), self.state)
        if len(tokens) == 1 and self.exact == self.cached:
            self.exact += 1
        self.cached += len(tokens)
        self.calls += 1
        return logits[0]

    def _read_again(self, logits: Tensor) -> int:
        self.close, self.cached = True, self.exact
        self.state.crop(self.exact)
        logits[0] = [self._extend([token]) for token in self.read[self.exact :]][-1][0]
        return int(argmax(logits))
