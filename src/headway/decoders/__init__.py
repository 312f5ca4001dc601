"""How is a new sequence written?  One file a regime, which owns its loss and its way to generate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from headway.batch import Loss, Memory, Part
from headway.search import Hypotheses, Search
from headway.settings import Room


@dataclass(frozen=True)
class TargetSizes:
    """What the data decides about the sequences to write.

    vocabulary     how many tokens there are, the four special ones included
    ratio, extra   a target is at most ratio × source length + extra tokens long; fitted to the training part
    shared         whether source and target have one vocabulary, so that they may share one table of vectors
    """

    vocabulary: int
    ratio: float = 1.0
    extra: int = 10
    shared: bool = False

    def limit(self, source_length: int) -> int:
        """Tokens after which writing stops even without END."""
        return int(self.ratio * source_length + self.extra)


class Decoder(nn.Module):
    modes: ClassVar[tuple[str, ...]] = ()
    "The ways it can generate, the default first; `nat` of one that writes all tokens at once."
    glances: ClassVar[bool] = False
    "Whether it can be shown a share of the right tokens while it learns (glancing)."
    widened_by: ClassVar[str] = ""
    "The setting that, higher, lets it write longer sequences; empty where it writes any."

    def collate(self, rows: Sequence[NDArray]) -> Part:
        """Target tokens of one batch, without BEGIN and END, as tensors."""
        raise NotImplementedError

    def reaches(self, read: NDArray, targets: Sequence[NDArray]) -> NDArray:
        """Which targets it can write at all, of sources with so many elements: a bound or a number of frames cuts some.

        read (N) whole numbers; targets N rows of tokens; -> (N) of booleans
        """
        return np.ones(len(read), dtype=bool)

    def loss(self, memory: Memory, target: Part, smoothing: float, revealed: float = 0.0) -> Loss:
        """Summed over the rows that it reaches, and counted by their tokens, one more for each row's end.

        revealed    where it glances: the share of its mistakes whose right tokens it is shown
        """
        raise NotImplementedError

    def generate(self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()) -> Hypotheses:
        """For each row what was found, best first; `others` are the further decoders of an ensemble."""
        raise NotImplementedError

    def candidates(self, memory: Memory, number: int, limit: int | None = None) -> Hypotheses:
        """Of one that writes all at once: for each row up to so many different sequences, best first."""
        raise NotImplementedError


DECODERS = Room(__name__, Decoder, "decoder")
