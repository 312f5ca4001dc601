"""Why a sequence was written so, step by step: the trace of an answer as lines that a person reads."""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.text import Text

from headway.batch import Decision, TransduceAnswer
from headway.errors import printable

Trace = Sequence[Decision]

MARKS = {"accepted": "+", "corrected": "!", "single": "=", "draft": "?", "repeat": "″", "blank": "·"}
"""Signs before a piece: they say what colours say, where there are none."""
COLOURS = {"accepted": "green", "corrected": "bold yellow", "single": "cyan", "repeat": "dim", "blank": "dim"}
VERIFIED = ("accepted", "corrected", "single")
WRITTEN = (*VERIFIED, "token", "end")
WRITTEN_IN = {"blank": "frame", "node": "node"}
"""What `where` counts, by a decision that occurs there only."""
NUMBERED = ("length", "candidate")
"""Decisions that take a number, and no piece."""
INDENT = "    "


def trace_lines(answer: TransduceAnswer, width: int = 100) -> list[Text]:
    """The trace of an answer, of at most so many columns a line; no line where it has none."""
    trace = answer.trace or ()
    kinds = {decision.what for decision in trace}
    found = list(_numbers(trace))
    if kinds & set(VERIFIED):
        found += _verified(trace)
    elif "node" in kinds:
        found += _path(trace)
    elif kinds & {"blank", "repeat"}:
        found += _frames(trace, width)
    found += _steps([decision for decision in trace if decision.what not in (*NUMBERED, "draft")])
    calls = f"{answer.calls:,} {'pass' if answer.calls == 1 else 'passes'} through a decoder"
    return [Text(INDENT) + line for line in found + [_dim(calls)] * bool(answer.calls)]


def _numbers(trace: Trace) -> Iterator[Text]:
    """What was decided for the whole: its length, or which candidate it is."""
    for decision in trace:
        if decision.what in NUMBERED:
            taken = Text.assemble((f"{decision.what} ", "dim"), (str(decision.taken), "bold"))
            yield taken + Text(f"  {_p(decision.log_p)}") + _others(decision)


def _verified(trace: Trace) -> Iterator[Text]:
    """For every pass what was drafted before it, and what became of that."""
    for call, decisions in groupby(trace, key=lambda decision: decision.call):
        decisions = list(decisions)
        for name, of in (("draft", ("draft",)), (f"pass {call}", WRITTEN)):
            pieces = [_piece(decision, mark=name != "draft") for decision in decisions if decision.what in of]
            if pieces:
                yield _dim(f"{name:9}") + Text(" ").join(pieces)
    signs = ", ".join(f"{MARKS[kind]} {words}" for kind, words in _SIGNS.items() if any(d.what == kind for d in trace))
    yield _dim(signs)


_SIGNS = {"accepted": "accepted", "corrected": "corrected", "single": "written alone"}


def _path(trace: Trace) -> Iterator[Text]:
    nodes = [
        _piece(decision, mark=True) + _dim(f"@{decision.where}") for decision in trace if decision.what not in NUMBERED
    ]
    yield _dim("path     ") + Text(" → ").join(nodes)


def _frames(trace: Trace, width: int) -> Iterator[Text]:
    """Every frame above the piece that it begins."""
    frames = [decision for decision in trace if decision.what in ("token", "blank", "repeat")]
    columns = [max(1, len(_shown(d.taken))) if d.what != "blank" else 1 for d in frames]
    room, rows, used = width - len(INDENT) - 9, [[]], 0
    for number, column in enumerate(columns):
        if used + column + 1 > room and rows[-1]:
            rows.append([])
            used = 0
        rows[-1].append(number)
        used += column + 1
    for row in rows:
        seen, written = _dim(f"{'frames':9}"), _dim(f"{'written':9}")
        for number in row:
            frame, column = frames[number], columns[number]
            sign = MARKS["blank"] if frame.what == "blank" else _shown(frame.taken)
            seen.append(f"{sign:{column}} ", style=COLOURS.get(frame.what, "default"))
            written.append(f"{_shown(frame.taken) if frame.what == 'token' else '':{column}} ", style="bold")
        for line in (seen, written):
            line.rstrip()
            yield line


def _steps(trace: Trace) -> Iterator[Text]:
    """A line each: where, what, how probable, and what else it could have been."""
    if not trace:
        return
    unit = next((WRITTEN_IN[d.what] for d in trace if d.what in WRITTEN_IN), "step")
    pieces = [_piece(decision, mark=True) for decision in trace]
    wide = max(len("written"), *(len(piece.plain) for piece in pieces))
    yield _dim(f"{unit:>5}  {'written':{wide}}      p  instead")
    again = len({decision.where for decision in trace}) < len(trace)  # positions that were decided in several passes
    call = None
    for decision, piece in zip(trace, pieces, strict=True):
        if again and decision.call != call:
            call = decision.call
            yield _dim(f"pass {call}")
        room = " " * (wide - len(piece.plain))
        yield Text(f"{decision.where:5}  ") + piece + Text(f"{room}  {_p(decision.log_p)}") + _others(decision)


def _piece(decision: Decision, mark: bool = False) -> Text:
    sign = MARKS.get(decision.what, "") if mark else ""
    name = _shown(decision.taken) if decision.what != "blank" else ""
    return Text.assemble((sign + name, COLOURS.get(decision.what, "default")))


def _others(decision: Decision) -> Text:
    told = [f"{_shown(piece)} {_p(log_p)}" for piece, log_p in decision.others]
    return _dim("  " + "  ".join(told) if told else "")


def _shown(piece: str | int) -> str:
    """A piece with its blanks, so that it is seen where a word begins."""
    return printable(str(piece).replace(" ", "▁"))


def _p(log_p: float) -> str:
    return f"{math.exp(log_p):.3f}"


def _dim(words: str) -> Text:
    """Words whose style is theirs alone, whatever is put behind them."""
    return Text.assemble((words, "dim"))
