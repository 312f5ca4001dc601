"""What every decoder that writes tokens has: vectors of what it reads, and an output layer over the vocabulary."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headway.batch import END, Memory
from headway.decoders import Decoder, TargetSizes
from headway.errors import UsageError

Tie = Literal["none", "output", "all"]


class Writer(Decoder):
    def __init__(self, tie: Tie, width: int, sizes: TargetSizes, source_table: nn.Parameter | None):
        """source_table    the source's vectors, which `all` shares"""
        super().__init__()
        self.sizes, self.width = sizes, width
        if tie == "all":
            if source_table is None or not sizes.shared:
                raise UsageError(
                    "tie: all shares one table between source and target, and they have different vocabularies; "
                    "set data.joint true (one vocabulary for both) or tie: output"
                )
            self.embedding = source_table
        else:
            self.embedding = nn.Parameter(torch.empty(sizes.vocabulary, width).normal_(std=width**-0.5))
        self.output = self.embedding if tie != "none" else nn.Parameter(self.embedding.detach().clone())
        self.output_bias = nn.Parameter(torch.zeros(sizes.vocabulary))

    def vectors(self, tokens: Tensor) -> Tensor:
        """(…) tokens -> (…, D) their vectors."""
        return F.embedding(tokens, self.embedding) * self.width**0.5


def source_lengths(memory: Memory) -> list[int]:
    """Elements of every source."""
    return [memory.x.shape[1]] * len(memory.x) if memory.keys is None else memory.keys.sum(-1).tolist()


def without_specials(logits: Tensor) -> Tensor:
    """Logits with which PAD, UNKNOWN and BEGIN are never written (in place)."""
    logits[..., :END] = -torch.inf
    return logits
