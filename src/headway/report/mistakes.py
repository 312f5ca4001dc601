"""Which answers to show, and where a written sequence differs from the right one."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 20
"""Mistakes that are shown."""
SAMPLED = 5
"""Answers that are shown as they come."""


def worst(badness: NDArray[np.float64], most: int = MOST) -> list[int]:
    """The rows with the largest badness, the worst first; rows without any are left out."""
    order = np.argsort(-badness, kind="stable")
    return [row for row in order[:most].tolist() if badness[row] > 0]


def spread(count: int, most: int = SAMPLED) -> list[int]:
    """Rows at even distances, the first half a distance from the beginning.

    >>> spread(100)
    [10, 30, 50, 70, 90]
    """
    taken = min(most, count)
    return [(2 * number + 1) * count // (2 * taken) for number in range(taken)]


Marked = list[tuple[bool, list[Any]]]
"""A sequence in runs: (whether the other has it, too; its symbols)."""


def differences(written: Sequence[Any], right: Sequence[Any]) -> tuple[Marked, Marked]:
    """Both sequences in runs of what they share and what only one has."""
    ours: Marked = []
    theirs: Marked = []
    for what, i, j, k, l in SequenceMatcher(None, written, right, autojunk=False).get_opcodes():
        if i < j:
            ours.append((what == "equal", list(written[i:j])))
        if k < l:
            theirs.append((what == "equal", list(right[k:l])))
    return ours, theirs
