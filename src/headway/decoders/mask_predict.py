"""All tokens at once, then the least probable of them again, given the others: mask-predict.

Ghazvininejad et al. 2019, "Mask-Predict: Parallel Decoding of Conditional Masked Language Models". The model learns to
fill in any number of masked tokens of a sequence, whose length is decided first.
"""

from typing import Literal

import torch
from torch import Tensor

from headway.batch import PAD, Loss, Memory, Part
from headway.decoders import TargetSizes
from headway.decoders._lengths import ByLength, LengthSettings
from headway.decoders._parallel import Members, Taught, drawn
from headway.decoders._reading import read
from headway.functional.masks import padding
from headway.kernels.cross_entropy import projected_cross_entropy
from headway.kernels.dropout import generator_for
from headway.layers.encoder import EncoderSettings
from headway.search import Choice, Hypothesis
from headway.settings import Count


class Settings(LengthSettings):
    inputs: Literal["copy", "begin"] = "begin"
    "What stands where a token is masked: BEGIN, or the source's vectors, copied evenly over all positions."
    rounds: Count = 4
    "Passes of the decoder: all tokens in the first, then fewer and fewer, the least probable ones, again."


class MaskPredict(ByLength):
    def __init__(
        self, settings: Settings, shape: EncoderSettings, sizes: TargetSizes, source_table: torch.nn.Parameter | None
    ):
        super().__init__(settings, shape, sizes, source_table)
        self.rounds = settings.rounds

    def loss(self, memory: Memory, target: Part, smoothing: float, revealed: float = 0.0) -> Loss:
        """Cross entropy of the masked tokens, and length_weight times that of the length for every token and the end.

        Of T tokens 1 … T are masked, each number as probable as any other, (T + 1) / 2 on average; a masked one counts
        2 T / (T + 1), so that a row counts T on average. Outside training all are masked, as in the first round.
        """
        taught = self.taught(memory, target)
        masked, shares = (
            (self.masked(taught), 2 * taught.lengths / (taught.lengths + 1)) if self.training else (taught.real, None)
        )
        blank = self.begun(memory, taught.lengths, taught.tokens.shape[1])
        states = self.states(self.filled(blank, taught.tokens, masked), memory, taught.lengths)[masked]
        if shares is not None:
            shares = shares[:, None].expand(masked.shape)[masked]
        total = projected_cross_entropy(states, self.output, self.output_bias, taught.tokens[masked], smoothing, shares)
        return Loss(total + self.length_loss(memory, taught), taught.count)

    def masked(self, taught: Taught) -> Tensor:
        """(B, T) which tokens are masked: 1 … T of a row, drawn evenly."""
        lengths = taught.lengths
        chance = torch.rand(len(lengths), device=lengths.device, generator=generator_for(lengths))
        return drawn(taught.real, 1 + (chance * lengths).long())

    def filled(self, blank: Tensor, tokens: Tensor, masked: Tensor) -> Tensor:
        """(B, T, D) the vectors of the tokens, and those of `blank` where they are masked."""
        return torch.where(masked[..., None], blank, self.vectors(tokens).to(blank.dtype))

    def write(self, members: Members, lengths: Tensor, trace: bool) -> list[Hypothesis]:
        room = max(1, int(lengths.max()))
        real = padding(lengths, room)
        blanks = [own.begun(memory, lengths, room) for own, memory in members]
        tokens, log_p = torch.full_like(real, PAD, dtype=torch.long), real.new_zeros(real.shape, dtype=torch.float)
        masked, calls = real, torch.ones_like(lengths)
        choices: list[list[Choice]] = [[] for _ in lengths]
        for call in range(self.rounds):
            if call:
                number = lengths * (self.rounds - call) // self.rounds
                if not bool(number.any()):
                    break
                masked, calls = least(log_p, real, number), calls + (number > 0)
            states = [
                own.states(own.filled(blank, tokens, masked), memory, lengths)[masked]
                for (own, memory), blank in zip(members, blanks, strict=True)
            ]
            found = read([own for own, _ in members], states, trace=trace)
            tokens[masked], log_p[masked] = found.tokens, found.log_p
            if trace:
                for place, (row, where) in enumerate(masked.nonzero().tolist()):
                    choices[row].append(found.choice(place, where, call))
        return [
            Hypothesis(tuple(own[:length]), tuple(chances[:length]), calls=passes, trace=tuple(why) if trace else None)
            for own, chances, length, passes, why in zip(
                tokens.tolist(), log_p.tolist(), lengths.tolist(), calls.tolist(), choices, strict=True
            )
        ]


def least(log_p: Tensor, real: Tensor, number: Tensor) -> Tensor:
    """(B, T) the `number` (B) least probable of the real positions, the first of equal ones."""
    order = log_p.masked_fill(~real, torch.inf).argsort(dim=-1, stable=True).argsort(-1)
    return (order < number[:, None]) & real
