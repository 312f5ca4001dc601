"""What the baselines read: sources as words or as one text, and as many examples as the time allows."""

from collections.abc import Callable, Sequence
from typing import Any

from headway.batch import Example
from headway.errors import UsageError

Split = Callable[[Any], tuple[str, ...]]


def refuses_other_than_text(examples: Sequence[Example]) -> str | None:
    """The reason of a baseline that reads text only, by the first example."""
    if not examples or isinstance(source := examples[0].source, str):
        return None
    if isinstance(source, (tuple, list)) and all(isinstance(element, str) for element in source):
        return None
    return "it reads text only"


def text(source: Any) -> str:
    """A source as one text; words are joined by blanks."""
    return source if isinstance(source, str) else " ".join(source)


def splitter(examples: Sequence[Example]) -> Split:
    """How sources become the elements that carry labels: as they are, or, for one text, its words or its characters.

    Which of the two is read off the first example: as many labels as words, or as many as characters.
    """
    first = next((example for example in examples if isinstance(example.source, str) and example.target), None)
    characters = first is not None and len(first.source.split()) != len(first.target) == len(first.source)

    def split(source: Any) -> tuple[str, ...]:
        return tuple(source if characters or not isinstance(source, str) else source.split())

    return split


def known_only(examples: Sequence[Example]) -> list[Example]:
    """The examples that have a target. Raises UsageError where none has one."""
    known = [example for example in examples if example.target is not None]
    if not known:
        raise UsageError("a baseline learns from examples with a target, and there are none")
    return known


def thinned(examples: Sequence[Example], cost: Callable[[Example], float], most: float) -> tuple[list[Example], str]:
    """Evenly spaced examples whose cost together is about `most`, or all of them; and the sentence that says so.

    Examples without a target are left out. Raises UsageError where none has one.
    """
    known = known_only(examples)
    total = sum(map(cost, known))
    if total <= most:
        return known, ""
    kept = max(1, int(len(known) * most / total))
    chosen = [known[number * len(known) // kept] for number in range(kept)]
    return chosen, f"learned from {kept:,} of {len(known):,} examples, evenly spaced, to keep to its time"
