"""What the decoders have in common that decide first how long a sequence is: a classifier, and several lengths tried.

A class is a difference: tokens to write less elements of the source (Ghazvininejad et al. 2019, as fairseq counts it).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from headway.batch import Memory
from headway.decoders import TargetSizes
from headway.decoders._parallel import Members, Parallel, ParallelSettings, Taught, different, elements, refuse
from headway.decoders._reading import OTHERS, together
from headway.errors import UsageError
from headway.layers.encoder import EncoderSettings
from headway.layers.readout import Readout
from headway.search import Choice, Hypotheses, Hypothesis, Search
from headway.settings import Count


class LengthSettings(ParallelSettings):
    reach: Count = 128
    "How many tokens shorter or longer than its source a sequence may be: there are two classes for each."
    lengths: Count = 1
    "Lengths that are tried side by side; the sequence whose tokens are most probable on average is taken."
    length_weight: Annotated[float, Field(gt=0)] = 0.1
    "What the length's loss counts beside that of a token."


class ByLength(Parallel):
    widened_by = "reach"

    def __init__(
        self, settings: LengthSettings, shape: EncoderSettings, sizes: TargetSizes, source_table: nn.Parameter | None
    ):
        super().__init__(settings, shape, sizes, source_table)
        self.reach, self.tried, self.length_weight = settings.reach, settings.lengths, settings.length_weight
        self.mean = Readout("mean", shape.width)
        self.length = nn.Linear(shape.width, 2 * settings.reach)

    # ------------------------------------------------------------------------------------------------- what is learned

    def lengths(self, memory: Memory) -> Tensor:
        """(B, classes) the log probability of every length, from the mean of the encoder's vectors."""
        return self.length(self.mean(memory)).float().log_softmax(-1)

    def classes(self, read: Tensor, lengths: Tensor) -> Tensor:
        """The class of so many tokens for so many elements; the outermost are those of all beyond."""
        return (lengths - read + self.reach).clamp(0, 2 * self.reach - 1)

    def fits(self, read: Tensor, lengths: Tensor) -> Tensor:
        return super().fits(read, lengths) & (self.classes(read, lengths) == lengths - read + self.reach)

    def length_loss(self, memory: Memory, taught: Taught) -> Tensor:
        """Summed over the rows that are reached, each as often as it has tokens and an end, so that it adds up."""
        log_p = self.lengths(memory).gather(1, self.classes(taught.read, taught.lengths)[:, None])[:, 0]
        return -self.length_weight * (log_p * (taught.lengths + 1) * taught.reached).sum()

    # ------------------------------------------------------------------------------------------------ what is written

    def candidates(self, memory: Memory, number: int, limit: int | None = None) -> Hypotheses:
        """For each row up to so many different sequences, of the most probable lengths, best first."""
        return [found[:number] for found in self._found(self.members(memory, ()), number, limit, False)]

    def generate(self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()) -> Hypotheses:
        refuse(search)
        number = max(self.tried, search.nbest)
        found = self._found(self.members(memory, others), number, search.limit, search.trace)
        return [hypotheses[: search.nbest] for hypotheses in found]

    def write(self, members: Members, lengths: Tensor, trace: bool) -> list[Hypothesis]:
        """A sequence of each of these lengths (R), without the log probability of the length."""
        raise NotImplementedError

    def members(self, memory: Memory, others: Sequence[tuple[Any, Memory]]) -> Members:
        members = super().members(memory, others)
        if len({decoder.reach for decoder, _ in members}) > 1:
            raise UsageError("these runs make no ensemble: model.task.decoder.reach differs, and with it their lengths")
        return members

    def _found(self, members: Members, number: int, limit: int | None, trace: bool) -> list[list[Hypothesis]]:
        """For each row all different sequences of so many lengths, the highest mean log probability first."""
        memory = members[0][1]
        log_p, lengths = self._offered(members, max(number, 1 + OTHERS) if trace else number)
        rows, places = (log_p[:, :number] > -torch.inf).nonzero(as_tuple=True)
        if number > 1:
            members = [(decoder, own.select(rows)) for decoder, own in members]
        written = self.write(members, lengths[rows, places], trace)
        found: list[list[Hypothesis]] = [[] for _ in range(len(memory.x))]
        for row, place, one in zip(rows.tolist(), places.tolist(), written, strict=True):
            length = _choice(lengths[row].tolist(), log_p[row].tolist(), place)
            chosen = (length, *(one.trace or ())) if trace else None
            found[row].append(replace(one, log_p=(*one.log_p, length.log_p), trace=chosen))
        for hypotheses in found:
            hypotheses.sort(key=lambda one: -one.score / len(one.log_p))
        return [different(hypotheses, limit) for hypotheses in found]

    def _offered(self, members: Members, number: int) -> tuple[Tensor, Tensor]:
        """(B, n) log probabilities of the most probable lengths, and these; minus infinity where there are fewer."""
        memory = members[0][1]
        log_p = together([decoder.lengths(own) for decoder, own in members])
        lengths = elements(memory)[:, None] + torch.arange(-self.reach, self.reach, device=log_p.device)
        most = torch.stack([decoder.limits(own) for decoder, own in members]).amin(0)[:, None]
        allowed = (lengths >= 0) & (lengths <= most)
        allowed[:, 0] |= ~allowed.any(-1)  # a source so long that every length is too long: the shortest is cut
        log_p, classes = log_p.masked_fill(~allowed, -torch.inf).topk(min(number, 2 * self.reach))
        return log_p, lengths.gather(1, classes).clamp_min(0).minimum(most)


def _choice(lengths: list[int], log_p: list[float], place: int) -> Choice:
    """The length of one candidate, beside the next best."""
    others = [(n, p) for i, (n, p) in enumerate(zip(lengths, log_p, strict=True)) if i != place and p > -torch.inf]
    return Choice("length", 0, lengths[place], log_p[place], tuple(others[:OTHERS]))
