"""Answers that several processes gave to one part, told to each other as JSON and put together in order."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from headway.batch import Answer, ClassifyAnswer, RegressAnswer, TagAnswer, TransduceAnswer

KINDS = {kind.__name__: kind for kind in (TagAnswer, ClassifyAnswer, RegressAnswer, TransduceAnswer)}


def as_plain(found: Sequence[Answer]) -> list[Any]:
    """Answers as JSON can hold them; without alternatives and traces, which evaluations do not ask for."""
    told = [(type(answer).__name__, asdict(answer)) for answer in found]
    return [[kind, {k: v for k, v in told.items() if k not in ("alternatives", "trace")}] for kind, told in told]


def in_turns(told: Sequence[Sequence[Any]]) -> list[Answer]:
    """The answers to all examples, of which each process took every so many."""
    found: list[Any] = [None] * sum(map(len, told))
    for rank, answers in enumerate(told):
        found[rank :: len(told)] = [
            KINDS[kind](**{k: _tuples(v) for k, v in values.items()}) for kind, values in answers
        ]
    return found


def _tuples(value: Any) -> Any:
    """JSON knows lists only, and answers hold tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
