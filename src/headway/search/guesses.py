"""What might come next, for a decoder to verify: a draft, copies of the source or of what is written, Jacobi's guesses.

A guess costs nothing where it is right and a little where it is wrong, so how many tokens are offered at once follows
from how often guesses of the same kind have been right in this sequence.
"""

import math
from collections.abc import Sequence

AHEAD = 3
"""Tokens of a draft behind a wrong one among which the right one is looked for."""
RIGHT_AND_ALL = {"draft": (49.0, 50.0), "copied": (1.0, 1.5), "copied far": (0.75, 1.5), "jacobi": (1.0, 3.0)}
"""Guesses of each kind that were right, and all of them, before any is seen."""


class Guesses:
    """Of one sequence: the best guess at every moment, and what is learned from how it fared.

    draft, log_p   a draft of the whole, and the log probability of each of its tokens where that is known
    source         tokens that may be copied; empty where the source has another vocabulary
    """

    def __init__(
        self, begin: int, end: int, draft: Sequence[int] | None, log_p: Sequence[float], source: Sequence[int]
    ):
        self.end, self.source = end, [begin, *source] if source else []
        self.rest: list[tuple[int, float]] = []  # what is left of the draft: tokens, how sure it was of each
        if draft is not None:
            sure = [min(max(math.exp(value), 0.3), 1.0) for value in log_p[: len(draft) + 1]]
            whole = [*draft, end]
            self.rest = list(zip(whole, sure + [1.0] * (len(whole) - len(sure)), strict=True))
        self.seen = dict(RIGHT_AND_ALL)
        self.kind, self.offered = "draft", list[int]()
        self.thought: list[int] = []

    def propose(self, read: Sequence[int], room: int) -> list[int]:
        """Tokens that may follow those read, `room` at most and perhaps END behind them; none where none are likely.

        What is left of the draft; else what followed the last tokens where they stood before, in the source or in what
        is written; else what the last call thought would come (Jacobi iteration, Santilli et al. 2023).
        """
        self.offered = []
        if self.rest:
            self._offer("draft", [token for token, _ in self.rest], [sure for _, sure in self.rest], room)
            return self.offered
        for kind, context in (("copied", 2), ("copied far", 1)):
            if copied := self._copied(read, context):
                self._offer(kind, copied, [1.0] * len(copied), room)
            if self.offered:
                return self.offered
        # where nothing is thought of yet, any tokens make the next call think of some
        thought = self.thought or [read[-1]] * 2
        self._offer("jacobi", thought, [1.0] * len(thought), room)
        return self.offered

    def _copied(self, read: Sequence[int], context: int) -> list[int]:
        """What followed the last so many tokens; in the source only behind its beginning or two tokens."""
        last = list(read[-context:])
        if len(last) < context:
            return []
        found = following(self.source, last, len(read) - 1)
        return found if found or context == 1 else following(read[:-1], last, len(read))

    def _offer(self, kind: str, tokens: Sequence[int], sure: Sequence[float], room: int) -> None:
        right, of_all = self.seen[kind]
        number = window([each * right / of_all for each in sure])
        self.kind, self.offered = kind, [*tokens[: min(number, room)]]
        if number > room and tokens[room : room + 1] == [self.end]:
            self.offered.append(self.end)

    def learn(self, agreed: int, token: int, thought: Sequence[int]) -> None:
        """So many of the offered tokens were right, then came `token`.

        thought    what the call thought would come behind the first wrong token
        """
        right, of_all = self.seen[self.kind]
        wrong = agreed < len(self.offered)
        if self.kind == "draft":
            rest = [token for token, _ in self.rest[agreed:]]
            also = rest[:1] == [token]  # it was not offered, and would have been right
            agreed, wrong = agreed + also, bool(rest) and not also
            used = recycled(rest, token, thought[0] if thought else None)
            self.rest = self.rest[len(self.rest) - len(rest) + used :]
        elif self.kind == "jacobi" and not self.thought:
            wrong = False  # no guesses, but any tokens
        self.seen[self.kind] = right + agreed, of_all + agreed + wrong
        self.thought = list(thought)


def recycled(rest: Sequence[int], token: int, thought: int | None) -> int:
    """How many tokens of a draft are used up, where `token` came instead of the first of them.

    thought    what the decoder thought would come, had the first been right

    One where it stood for the right one (or was it); those up to the right one where that comes soon: there were too
    many; none where the decoder thinks that it comes next: one was missing.
    """
    if not rest or rest[0] == token:
        return min(1, len(rest))
    soon = list(rest[1 : 1 + AHEAD])
    if token in soon:
        return soon.index(token) + 2
    return 0 if thought == rest[0] else 1


def following(known: Sequence[int], last: Sequence[int], near: int) -> list[int]:
    """What follows where `last` stands in what is known, at the place whose number is nearest; empty where nowhere."""
    number = len(last)
    places = [i + number for i in range(len(known) - number) if list(known[i : i + number]) == last]
    return list(known[min(places, key=lambda place: abs(place - near)) :]) if places else []


def window(chances: Sequence[float]) -> int:
    """How many guesses to verify in one call, so that most tokens come for its cost.

    chances    of each guess to be right, where all before it are

    Of w guesses 1 + Σ Π chances tokens come; a call of k positions costs about 1 + k / 10 steps (measured on one
    thread for 3 layers of width 256 as for 6 of width 512, k from 4 to 32).
    """
    best, number, tokens, together = 1.0, 0, 1.0, 1.0
    for w, chance in enumerate(chances, 1):
        together *= chance
        tokens += together
        if tokens / (1 + (w + 1) / 10) > best:
            best, number = tokens / (1 + (w + 1) / 10), w
        if together < 0.01:
            break
    return number
