"""How long it becomes is decided first, then all tokens at once (Gu et al. 2018, Ghazvininejad et al. 2019).

Glancing shows some of the right tokens while it learns: a first pass finds its mistakes, the more there are the more is
shown, and the loss is that of the rest (Qian et al. 2021, "Glancing Transformer for Non-Autoregressive Translation").
"""

import torch
from torch import Tensor

from headway.batch import Loss, Memory, Part
from headway.decoders._lengths import ByLength, LengthSettings
from headway.decoders._parallel import Members, Taught, shown
from headway.decoders._reading import read
from headway.functional.masks import padding
from headway.kernels.cross_entropy import projected_cross_entropy
from headway.search import Hypothesis


class Settings(LengthSettings):
    pass


class Length(ByLength):
    glances = True

    def loss(self, memory: Memory, target: Part, smoothing: float, revealed: float = 0.0) -> Loss:
        """Cross entropy of every token, and length_weight times that of the length for every token and the end.

        Where right tokens are shown, those that are not count T / (T − N) each, so that a row counts what it always
        does: T tokens, of which N are shown.
        """
        taught = self.taught(memory, target)
        vectors, counted, shares = self.begun(memory, taught.lengths, taught.tokens.shape[1]), taught.real, None
        if revealed > 0:
            shows = self.glimpse(vectors, memory, taught, revealed)
            vectors = torch.where(shows[..., None], self.vectors(taught.tokens).to(vectors.dtype), vectors)
            counted = taught.real & ~shows
            scale = taught.lengths / counted.sum(-1).clamp_min(1)
            shares = scale[:, None].expand(counted.shape)[counted]
        states = self.states(vectors, memory, taught.lengths)[counted]
        total = projected_cross_entropy(
            states, self.output, self.output_bias, taught.tokens[counted], smoothing, shares
        )
        return Loss(total + self.length_loss(memory, taught), taught.count)

    @torch.no_grad()
    def glimpse(self, vectors: Tensor, memory: Memory, taught: Taught, share: float) -> Tensor:
        """(B, T) which positions are shown their right token: a share of the mistakes of a first pass."""
        found = read([self], [self.states(vectors, memory, taught.lengths)[taught.real]])
        wrong = torch.zeros_like(taught.real)
        wrong[taught.real] = found.tokens != taught.tokens[taught.real]
        return shown(wrong, taught.real, share)

    def write(self, members: Members, lengths: Tensor, trace: bool) -> list[Hypothesis]:
        room = max(1, int(lengths.max()))
        real = padding(lengths, room)
        states = [own.states(own.begun(memory, lengths, room), memory, lengths)[real] for own, memory in members]
        found = read([own for own, _ in members], states, trace=trace)
        tokens, log_p = (each.split(lengths.tolist()) for each in (found.tokens, found.log_p))
        starts = (lengths.cumsum(0) - lengths).tolist()
        return [
            Hypothesis(
                tuple(own.tolist()),
                tuple(chances.tolist()),
                calls=1,
                trace=tuple(found.choice(start + t, t) for t in range(len(own))) if trace else None,
            )
            for own, chances, start in zip(tokens, log_p, starts, strict=True)
        ]
