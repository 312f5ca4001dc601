"""More positions than any target needs, all written at once, and END says where the sequence is over.

Behind the tokens every position learns END. The cut is the most probable one: all positions before it write their best
token, it writes END, and those behind it END, too. Two running sums find it, O(positions).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from headway.batch import END, Loss, Memory, Part
from headway.decoders import TargetSizes
from headway.decoders._parallel import Members, Parallel, ParallelSettings, different, elements, refuse
from headway.decoders._reading import Reading, read
from headway.functional.masks import padding
from headway.kernels.cross_entropy import projected_cross_entropy
from headway.layers.encoder import EncoderSettings
from headway.search import Choice, Hypotheses, Hypothesis, Search


class Settings(ParallelSettings):
    ratio: Annotated[float, Field(gt=0)] | None = None
    "At most ratio × elements of the source + extra tokens; what no training target exceeds, where none is given."
    extra: Annotated[int, Field(ge=0)] | None = None
    "The same."
    mu: Annotated[float, Field(ge=0)] = 1.0
    "What the positions behind the first END count together, each to write END; 0 leaves them out."
    cut: Literal["best", "first"] = "best"
    "Where a sequence ends: at the most probable END of all, or at the first position that would write END by itself."


class Bound(Parallel):
    widened_by = "extra"

    def __init__(
        self, settings: Settings, shape: EncoderSettings, sizes: TargetSizes, source_table: nn.Parameter | None
    ):
        super().__init__(settings, shape, sizes, source_table)
        self.ratio = sizes.ratio if settings.ratio is None else settings.ratio
        self.extra = sizes.extra if settings.extra is None else settings.extra
        self.mu, self.cut = settings.mu, settings.cut

    def bounds(self, read: Tensor) -> Tensor:
        """(N) tokens that can be written for so many elements: one position less than there are, for END."""
        bounds, positions = (self.ratio * read.double() + self.extra).long(), self.stack.position.positions
        return bounds if positions is None else bounds.clamp(max=positions - 1)

    def limits(self, memory: Memory) -> Tensor:
        return self.bounds(elements(memory))

    # ------------------------------------------------------------------------------------------------- what is learned

    def fits(self, read: Tensor, lengths: Tensor) -> Tensor:
        return lengths <= self.bounds(read)

    def loss(self, memory: Memory, target: Part, smoothing: float, revealed: float = 0.0) -> Loss:
        """Cross entropy of every token and of END behind them, and mu times the mean of that of END further on."""
        taught = self.taught(memory, target)
        most = self.bounds(taught.read)
        states, real = self.positions(memory, most)
        place = torch.arange(real.shape[1], device=real.device)
        lengths = taught.lengths[:, None]
        right = torch.full(real.shape, END, device=real.device)
        T = min(taught.tokens.shape[1], real.shape[1])
        right[:, :T] = torch.where(taught.real[:, :T], taught.tokens[:, :T], END)
        behind = (self.mu / (most[:, None] - lengths).clamp_min(1)).expand(real.shape)
        shares = torch.where(place <= lengths, 1.0, behind) * taught.reached[:, None]
        counted = real & (shares > 0)
        total = projected_cross_entropy(
            states[counted], self.output, self.output_bias, right[counted], smoothing, shares[counted]
        )
        return Loss(total, taught.count)

    def positions(self, memory: Memory, most: Tensor) -> tuple[Tensor, Tensor]:
        """(B, room, D) what all positions have become, (B, room) which are real: of each row `most`, and one for END.

        Those that a longer source beside it makes room for are none of this row's.
        """
        room = int(most.max()) + 1
        return self.states(self.begun(memory, most + 1, room), memory, most + 1), padding(most + 1, room)

    # ------------------------------------------------------------------------------------------------ what is written

    def candidates(self, memory: Memory, number: int, limit: int | None = None) -> Hypotheses:
        """For each row up to so many different sequences, cut at the most probable ENDs, best first."""
        return self._found(self.members(memory, ()), number, limit, False, "best")

    def generate(self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()) -> Hypotheses:
        refuse(search)
        cut = "best" if search.nbest > 1 else self.cut
        return self._found(self.members(memory, others), search.nbest, search.limit, search.trace, cut)

    def _found(self, members: Members, number: int, limit: int | None, trace: bool, cut: str) -> Hypotheses:
        most = torch.stack([decoder.limits(own) for decoder, own in members]).amin(0)
        pairs = [decoder.positions(own, most) for decoder, own in members]
        real = pairs[0][1]
        found = read([decoder for decoder, _ in members], [states[real] for states, _ in pairs], True, trace)
        best, end = (real.new_zeros(real.shape, dtype=each.dtype) for each in (found.log_p, found.end))
        best[real], end[real] = found.log_p, found.end
        if cut == "first":
            cuts = first_cut(best, end, most)[:, None]
        else:
            value = cut_values(best, end, most, 1.0 if self.mu > 0 else 0.0)
            cuts = value.argsort(dim=-1, descending=True, stable=True)[:, :number]
        starts = ((most + 1).cumsum(0) - most - 1).tolist()
        return [
            different([_written(found, start, length, n, trace) for length in row[: n + 1]], limit)
            for row, start, n in zip(cuts.tolist(), starts, most.tolist(), strict=True)
        ]


def cut_values(best: Tensor, end: Tensor, most: Tensor, fill: float) -> Tensor:
    """(B, room) the log probability of each length l = 0, 1, …; minus infinity above `most` (B).

    Σ_{t ≤ l} best_t + end_{l + 1} + fill Σ_{t > l + 1} end_t, where best, end (B, room) are the log probabilities of
    each position's most probable token and of END, zero behind the last position of a row.
    """
    before = best.cumsum(-1) - best
    behind = end.sum(-1, keepdim=True) - end.cumsum(-1)
    return (before + end + fill * behind).masked_fill(~padding(most + 1, best.shape[1]), -torch.inf)


def first_cut(best: Tensor, end: Tensor, most: Tensor) -> Tensor:
    """(B) tokens before the first position where END is the most probable; `most` + 1 where there is none."""
    ends = (end >= best) & padding(most + 1, best.shape[1])
    return torch.where(ends.any(-1), ends.long().argmax(-1), most + 1)


def _written(found: Reading, start: int, length: int, most: int, trace: bool) -> Hypothesis:
    """The first tokens from position `start` on, and END; without END where the length is above `most`."""
    finished = length <= most
    length = min(length, most)
    tokens, log_p = found.tokens[start : start + length], found.log_p[start : start + length].tolist()
    choices = [found.choice(start + t, t) for t in range(length)] if trace else []
    if finished:
        log_p.append(float(found.end[start + length]))
        if trace:
            choices.append(_end(found, start + length, length))
    return Hypothesis(tuple(tokens.tolist()), tuple(log_p), finished, calls=1, trace=tuple(choices) if trace else None)


def _end(found: Reading, place: int, where: int) -> Choice:
    """END at a place, and the tokens that might have stood there."""
    others = zip(found.best[place].tolist(), found.best_p[place].tolist(), strict=True)
    return Choice("end", where, END, float(found.end[place]), tuple(others))
