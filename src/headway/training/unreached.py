"""Training targets that a decoder cannot write at all: their loss is left out, and where all are so it is refused.

A decoder that writes all at once has so many positions, frames or nodes for a source, and a longer target finds no
place in them.
"""

from collections.abc import Callable

import numpy as np

from headway.data.encoding import Encoded
from headway.decoders import DECODERS, Decoder
from headway.errors import UsageError, Where
from headway.tasks import Task
from headway.tasks.transduce import Transduce

NAMED = 3
"""Places in the data that are named."""
AT_ONCE = 100_000
"""Rows that are looked at together."""


def unreached(task: Task, train: Encoded, place: Callable[[int], Where]) -> list[str]:
    """What is to be said of the targets that are left out. Raises UsageError for a decoder that could write none.

    place    where an example to learn from came from
    """
    if not isinstance(task, Transduce) or not len(train.targets):
        return []
    writers = {"decoder": task.decoder} | ({"draft": task.draft} if task.draft is not None else {})
    return [said for role, writer in writers.items() for said in _unreached(role, writer, train, place)]


def _unreached(role: str, writer: Decoder, train: Encoded, place: Callable[[int], Where]) -> list[str]:
    missed = _missed(writer, train)
    if not missed:
        return []
    name, places = _name(writer), [str(place(train.windows[row].example)) for row in missed[:NAMED]]
    more = f" and {len(missed) - NAMED:,} more" if len(missed) > NAMED else ""
    what = f"out of reach of model.task.{role} {name}: {', '.join(places)}{more}"
    remedy = f"set model.task.{role}.{writer.widened_by} higher" if writer.widened_by else "choose another one"
    if len(missed) == len(train):
        raise UsageError(
            f"all {len(train):,} targets of the training part are {what}. There is nothing to learn; {remedy}"
        )
    left = "Its loss leaves them out, the decoder learns them" if role == "draft" else "They are left out"
    return [
        f"{len(missed):,} of {len(train):,} training targets are {what}. {left}; for the {role} to learn them {remedy}"
    ]


def _missed(writer: Decoder, train: Encoded) -> list[int]:
    """The rows that it cannot write, looked through a share at a time: they may lie in files."""
    lengths, found = train.sources.lengths, list[int]()
    for start in range(0, len(train), AT_ONCE):
        some = range(start, min(start + AT_ONCE, len(train)))
        reached = writer.reaches(lengths[some.start : some.stop], [train.targets[row] for row in some])
        found += (start + np.flatnonzero(~reached)).tolist()
    return found


def _name(writer: Decoder) -> str:
    return type(writer).__module__.removeprefix(DECODERS.package + ".")
