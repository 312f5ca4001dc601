"""N -> 1: a label for the whole (sentiment, topic, who speaks), or several labels at once."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headway.batch import Loss, Memory, Part
from headway.functional.losses import binary_cross_entropy, cross_entropy
from headway.kernels.dropout import dropout
from headway.layers.encoder import EncoderSettings
from headway.layers.readout import Pooling, Readout
from headway.search import Search
from headway.settings import Branch, Names, Rate
from headway.tasks import NEAR, Task


class Settings(Branch):
    pooling: Pooling = "mean"
    "How the vectors become one: their mean, their sum, their maximum, a learned weighted mean, or the first."
    dropout: Rate | None = None
    "Share of the pooled vector that is dropped in training; the encoder's dropout where none is given."
    smoothing: Rate = 0.0
    "Share of the target that is spread over all labels."
    class_weights: Literal["none", "balanced"] = "none"
    "Let every label count the same in the loss however rare it is."
    metrics: Names | None = None
    "What it is measured by, the first decides; accuracy and macro_f1 where none are given."


class Classify(Task):
    def __init__(self, settings: Settings, shape: EncoderSettings, counts: Sequence[int], rows: int, several: bool):
        """counts: how often each label occurs in the `rows` of the training part; several: a row may have many."""
        super().__init__()
        self.smoothing, self.several = settings.smoothing, several
        self.rate = shape.dropout if settings.dropout is None else settings.dropout
        self.metrics = settings.metrics or (("micro_f1", "accuracy") if several else ("accuracy", "macro_f1"))
        self.readout = Readout(settings.pooling, shape.width)
        self.output = nn.Linear(shape.width, len(counts))
        weights = None
        if settings.class_weights == "balanced":
            often = torch.tensor(counts).clamp(min=1).float()
            weights = (rows - often).clamp(min=1) / often if several else rows / (len(counts) * often)
        self.weights: Tensor | None
        self.register_buffer("weights", weights, persistent=False)

    def collate(self, targets: Sequence[NDArray[np.int32]]) -> Part:
        """labels (B) the number of the label, negative where training never saw it, or (B, V) one 0 or 1 per label."""
        if not self.several:
            return {"labels": torch.tensor([int(target[0]) for target in targets])}
        table = torch.zeros(len(targets), self.output.out_features)
        for row, target in enumerate(targets):
            known = target[target >= 0]
            table[row, torch.from_numpy(known.astype(np.int64))] = 1.0
        return {"labels": table}

    def loss(self, memory: Memory, target: Part, progress: float = 1.0) -> Loss:
        logits, labels = self._logits(memory), target["labels"]
        if self.several:
            total, count = binary_cross_entropy(logits, labels, self.weights)
        else:
            total, count = cross_entropy(logits, labels, labels >= 0, self.smoothing, self.weights)
        return Loss(total, float(count))

    def answer(
        self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()
    ) -> list[NDArray[np.float32]]:
        """For each row the probability of every label."""
        together = [task.probabilities(x) for task, x in ((self, memory), *others)]
        return list(torch.stack(together).mean(0).cpu().numpy())

    def doubtful(
        self, found: Sequence[NDArray[np.float32]], memory: Memory, others: Sequence[tuple[Any, Memory]] = ()
    ) -> list[bool]:
        if self.several:
            return [bool((abs(one - 0.5) < NEAR).any()) for one in found]
        falling = [np.sort(one)[::-1] for one in found]
        return [len(one) > 1 and bool(one[0] - one[1] < NEAR) for one in falling]

    def probabilities(self, memory: Memory) -> Tensor:
        """(B, V): they sum to one, or each is that of its own yes."""
        logits = self._logits(memory).float()
        return logits.sigmoid() if self.several else logits.softmax(-1)

    def _logits(self, memory: Memory) -> Tensor:
        return self.output(dropout(self.readout(memory), self.rate if self.training else 0.0))
