"""Rows of vectors of different length as one tensor, and which of its elements are real."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from headway.batch import Part


def padded(rows: Sequence[NDArray], name: str, normal: tuple[NDArray, NDArray] | None = None) -> Part:
    """{name: (B, S, …) float32, 0 behind the shorter rows; keys: (B, S), left out where all elements are real}.

    rows     (S, …) each
    normal   what is subtracted from every element, and what it is then divided by
    """
    lengths = np.array([len(row) for row in rows], np.int64)
    longest = int(lengths.max(initial=0))
    table = np.zeros((len(rows), longest, *rows[0].shape[1:]), np.float32)
    for place, row in zip(table, rows):
        place[: len(row)] = row
        if normal is not None:
            place[: len(row)] -= normal[0]
            place[: len(row)] /= normal[1]
    part: Part = {name: torch.from_numpy(table)}
    if (lengths != longest).any():
        part["keys"] = torch.from_numpy(np.arange(longest) < lengths[:, None])
    return part
