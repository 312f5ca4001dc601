"""Whether another program writes what the run writes: greedy, token for token, and how near the two were where not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headway.batch import END, Batch, Memory
from headway.decoders import TargetSizes
from headway.decoders._writer import without_specials
from headway.decoders.autoregressive import Autoregressive
from headway.predictor import Predictor
from headway.search import Hypothesis, Search

TIE = 1e-3
"""Two tokens whose log probabilities differ by less are a tie, which rounding decides."""
TOGETHER = 32
"""Rows that are answered together."""


@dataclass(frozen=True)
class Agreement:
    """How far two programs agree.

    rows, same   sequences, and how many of them are the same in both
    ties         of the others, those that part at two tokens as probable as each other, to within `TIE`
    off          the largest difference of the log probabilities that the two give to a token that the run wrote
    """

    rows: int
    same: int
    ties: int
    off: float

    @property
    def different(self) -> int:
        return self.rows - self.same - self.ties


def agreement(predictor: Predictor, rows: Sequence[NDArray], other: Any) -> Agreement:
    """Compare outputs for rows of source tokens; `other` writes and scores (`headway.export.Engine`)."""
    decoder: Autoregressive = predictor.model.task.decoder
    sizes, positions = predictor.codecs.target.sizes()["sizes"], decoder.stack.position.positions
    rows = sorted(rows, key=len)
    theirs = other.write(rows, limits_of(rows, sizes, positions))
    ours: list[Hypothesis] = []
    scores: list[list[float]] = []
    ties = 0
    with torch.inference_mode():
        for start in range(0, len(rows), TOGETHER):
            memory = encoded(predictor, rows[start : start + TOGETHER])
            found = [best for (best,) in decoder.generate(memory, Search("greedy"))]
            target = decoder.collate([np.array(own.tokens, np.int32) for own in found])
            log_p, real = decoder.score(memory, {name: tensor.to(memory.x.device) for name, tensor in target.items()})
            scores += [row[counted].tolist() for row, counted in zip(log_p, real, strict=True)]
            for place, own in enumerate(found):
                if not _same(own, theirs[start + place]):
                    one = memory.select(torch.tensor([place], device=memory.x.device))
                    ties += gap(decoder, one, own, theirs[start + place]) < TIE
            ours += found
    same = sum(_same(own, their) for own, their in zip(ours, theirs, strict=True))
    pairs = zip(scores, other.score(rows, [own.tokens for own in ours]), strict=True)
    off = max(float(np.abs(np.subtract(own, their)).max()) for own, their in pairs)
    return Agreement(len(rows), same, ties, off)


def encoded(predictor: Predictor, rows: Sequence[NDArray]) -> Memory:
    """What the run's encoder makes of rows of source tokens."""
    source = predictor.codecs.source.collate(rows)
    return predictor.model.encode(Batch(source, {}, tuple(range(len(rows)))).to(predictor.device))


def _same(own: Hypothesis, other: Any) -> bool:
    return own.tokens == other.tokens and own.finished == other.finished


def limits_of(rows: Sequence[NDArray], sizes: TargetSizes, positions: int | None) -> list[int]:
    """Tokens that each output may have: a line above the source's length, and what the positions allow behind BEGIN."""
    limits = [sizes.limit(len(row)) for row in rows]
    return limits if positions is None else [min(limit, positions - 1) for limit in limits]


def gap(decoder: Autoregressive, memory: Memory, own: Hypothesis, other: Any) -> float:
    """How much less probable (in log probability) the other's token is than the best, where the two first part."""
    ours, theirs = (one.tokens + (END,) * one.finished for one in (own, other))
    place = next((i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), min(len(ours), len(theirs)))
    read = decoder.collate([np.array(ours[:place], np.int32)])["read"].to(memory.x.device)
    states = decoder.stack(decoder.vectors(read), memory)[0, -1]
    logits = without_specials(torch.addmv(decoder.output_bias, decoder.output, states))
    return float(logits.max() - _taken(logits, theirs[place] if place < len(theirs) else None))


def _taken(logits: Tensor, token: int | None) -> Tensor:
    """The logit of a token; of the second best where it was cut off and is not known."""
    return logits.topk(2).values[1] if token is None else logits[token]
