"""Options that several commands share."""

import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from headway.errors import UsageError, printable

Settings = Annotated[
    tuple[str, ...],
    Parameter(
        name="--set",
        help="Any setting: --set PATH=VALUE, or in short --PATH VALUE (--model.encoder.layers 6). "
        "`headway config` shows all paths.",
        negative="",
        consume_multiple=False,
    ),
]
Json = Annotated[
    bool, Parameter(name="--json", help="Print one JSON object (a line for each answer) for machines.", negative="")
]

SkipBad = Annotated[
    bool,
    Parameter(
        name="--skip-bad",
        help="Leave out lines that cannot be used, and say how many and which; short for --data.on_bad skip.",
        negative="",
    ),
]


def warn_of(tolerance: float | None) -> None:
    """Say that answers of mode verify are not greedy's any more, where that is so."""
    if tolerance:
        print(f"tolerance {tolerance:g}: answers may differ from those of greedy search", file=sys.stderr)


def assigned(pairs: Sequence[str]):
    """`PATH=VALUE` as assignments. Raises UsageError."""
    from headway.settings import Assignment

    found = []
    for pair in pairs:
        path, sign, value = pair.partition("=")
        if not sign or not path:
            raise UsageError(f"--set {printable(pair)}: expected PATH=VALUE, as in --set model.encoder.layers=6")
        found.append(Assignment(path, value, f"--{path}"))
    return found
