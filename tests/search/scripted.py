"""A writer without a model: each row has a source, and a table says what may follow what it has written."""

import functools
import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

BEGIN, END = 2, 3
FIRST = 4
"""The first token that may be written; PAD, UNKNOWN and BEGIN are never."""

Table = Callable[[int, tuple[int, ...]], Sequence[float]]
"""(source, what is written) -> a logit for every token from END on."""


class Told:
    """The state: for every row its source and what it has read. Says what went wrong where rows are mixed up."""

    def __init__(self, sources: Sequence[int]):
        self.rows: list[tuple[int, tuple[int, ...]]] = [(source, ()) for source in sources]
        self.steps: list[int] = []

    def select(self, rows: Tensor, same_sources: bool = False) -> None:
        chosen = [self.rows[row] for row in rows.tolist()]
        if same_sources:
            assert [source for source, _ in chosen] == [source for source, _ in self.rows], "the sources were moved"
        self.rows = chosen

    def crop(self, length: int) -> None:
        """Positions are those of what was read, BEGIN's the first."""
        self.rows = [(source, read[:length]) for source, read in self.rows]


def step_of(table: Table) -> Callable[[Tensor, Told], tuple[Tensor, Told]]:
    """The step function of a table."""

    def step(tokens: Tensor, state: Told) -> tuple[Tensor, Told]:
        assert tokens.shape == (len(state.rows),), "as many tokens as rows"
        state.steps.append(len(tokens))
        grown = [(source, (*read, token)) for (source, read), token in zip(state.rows, tokens.tolist(), strict=True)]
        assert all(read[0] == BEGIN for _, read in grown), "every row begins with BEGIN"
        state.rows = grown
        logits = torch.tensor([list(table(source, read[1:])) for source, read in grown])
        return torch.cat([torch.full((len(tokens), END), -torch.inf), logits], 1), state

    return step


def extend_of(table: Table, single: Table | None = None) -> Callable[[Tensor, Told], tuple[Tensor, Told]]:
    """The extend function of a table; `single` is told instead where one token of one row is read alone."""

    def extend(tokens: Tensor, state: Told) -> tuple[Tensor, Told]:
        news = tokens.tolist()
        state.steps.append(len(news[0]))
        asked = single if single is not None and tokens.numel() == 1 else table
        logits = [
            [list(asked(source, (*read, *new[: i + 1])[1:])) for i in range(len(new))]
            for (source, read), new in zip(state.rows, news, strict=True)
        ]
        state.rows = [(source, (*read, *new)) for (source, read), new in zip(state.rows, news, strict=True)]
        assert all(read[0] == BEGIN for _, read in state.rows), "every row begins with BEGIN"
        found = torch.tensor(logits)
        return torch.cat([torch.full((*tokens.shape, END), -torch.inf), found], -1), state

    return extend


def random_table(tokens: int, seed: int = 0, spread: float = 1.5) -> Table:
    """Logits that depend on the source and on everything written, for END and so many further tokens."""

    @functools.cache
    def table(source: int, written: tuple[int, ...]) -> list[float]:
        chance = random.Random(repr((seed, source, written)))
        return [chance.gauss(0, spread) for _ in range(tokens + 1)]

    return table


def log_p(table: Table, source: int, written: tuple[int, ...], token: int) -> float:
    """log p(token | source, written)"""
    logits = table(source, written)
    most = max(logits)
    return logits[token - END] - most - math.log(sum(math.exp(logit - most) for logit in logits))


def scored(table: Table, source: int, tokens: tuple[int, ...], finished: bool = True) -> tuple[float, ...]:
    """The log probability of each token of a sequence, and of END behind it."""
    whole = (*tokens, END) if finished else tokens
    return tuple(log_p(table, source, whole[:i], token) for i, token in enumerate(whole))


def everything(tokens: int, limit: int) -> Iterator[tuple[int, ...]]:
    """Every sequence of at most `limit` tokens."""
    for length in range(limit + 1):
        yield from itertools.product(range(FIRST, FIRST + tokens), repeat=length)


def ranked(table: Table, source: int, tokens: int, limit: int, alpha: float) -> list[tuple[float, tuple[int, ...]]]:
    """(value, sequence) of every sequence that ends, best first: what an endlessly wide beam must find."""
    found = []
    for sequence in everything(tokens, limit):
        found.append((sum(scored(table, source, sequence)) / ((6 + len(sequence)) / 6) ** alpha, sequence))
    return sorted(found, reverse=True)


def greedily(
    table: Table, source: int, tokens: int, limit: int, prefix: Sequence[int] = ()
) -> tuple[tuple[int, ...], bool]:
    """(the tokens, whether END was reached) by always taking the best."""
    written: tuple[int, ...] = ()
    for position in range(limit + 1):
        best = max(range(END, FIRST + tokens), key=lambda token: log_p(table, source, written, token))
        token = prefix[position] if position < len(prefix) else best
        if token == END:
            return written, True
        if position < limit:
            written = (*written, token)
    return written, False
