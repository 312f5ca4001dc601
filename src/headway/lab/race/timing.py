"""How long answers take, everything that belongs to one included: cutting into tokens, the model, and joining them.

Machines are noisy, so contestants take turns (A B A B …), and nobody begins every turn.
"""

import time
from collections.abc import Callable, Sequence

from headway.batch import Example
from headway.lab.race.contestants import Contestant

BATCHES = (1, 8, 32, 128)
WARM_UP = 3
"""Sentences that each contestant answers before anything is measured."""

Tell = Callable[[str, int, int], None]
"""(what is measured, how much of it is done, of how much)."""


def spread(examples: Sequence[Example], most: int) -> list[Example]:
    """At most so many examples, evenly from all."""
    if len(examples) <= most:
        return list(examples)
    return [examples[i * len(examples) // most] for i in range(most)]


def latencies(racing: Sequence[Contestant], examples: Sequence[Example], tell: Tell) -> list[list[float]]:
    """For each contestant the seconds of each example, answered alone."""
    for one in racing:
        for example in spread(examples, WARM_UP):
            one.answer([example], 1)
    found: list[list[float]] = [[] for _ in racing]
    for number, example in enumerate(examples):
        tell("latency", number, len(examples))
        for turn in range(len(racing)):
            which = (number + turn) % len(racing)
            found[which].append(_seconds(racing[which], [example]))
    tell("latency", len(examples), len(examples))
    return found


def throughputs(racing: Sequence[Contestant], examples: Sequence[Example], tell: Tell) -> list[dict[int, float]]:
    """For each contestant the examples a second by the size of the batch; the largest size is that of all examples.

    Batches are of like length, as whoever wants throughput makes them.
    """
    ordered = sorted(examples, key=lambda example: len(example.source))
    found: list[dict[int, float]] = [{} for _ in racing]
    sizes = [size for size in BATCHES[1:] if size <= len(ordered)]
    for size in sizes:
        took = [0.0] * len(racing)
        for begin in range(0, len(ordered), size):
            tell(f"batches of {size}", begin, len(ordered))
            for turn in range(len(racing)):
                which = (begin // size + turn) % len(racing)
                took[which] += _seconds(racing[which], ordered[begin : begin + size])
        for own, seconds in zip(found, took, strict=True):
            own[size] = len(ordered) / max(seconds, 1e-9)
        tell(f"batches of {size}", len(ordered), len(ordered))
    return found


def _seconds(one: Contestant, examples: Sequence[Example]) -> float:
    begin = time.perf_counter()
    one.answer(examples, len(examples))
    return time.perf_counter() - begin
