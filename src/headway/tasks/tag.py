"""N -> N: a label for every element (part-of-speech tagging, names, a label for every frame or node)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headway.batch import Loss, Memory, Part
from headway.kernels.cross_entropy import projected_cross_entropy
from headway.layers.encoder import EncoderSettings
from headway.rows import Rows
from headway.search import Search
from headway.settings import Branch, Names, Rate
from headway.tasks import NEAR, Task

NOTHING = -1
"""The target of an element that is not counted: padding, or a label that training never saw."""


class Settings(Branch):
    smoothing: Rate = 0.0
    "Share of the target that is spread over all labels."
    metrics: Names | None = None
    "What it is measured by, the first decides; accuracy, and span_f1 for BIO labels, where none are given."


class Tag(Task):
    def __init__(self, settings: Settings, shape: EncoderSettings, labels: int, bio: bool):
        super().__init__()
        self.smoothing = settings.smoothing
        self.metrics = settings.metrics or (("span_f1", "accuracy") if bio else ("accuracy",))
        self.output = nn.Linear(shape.width, labels)

    def collate(self, targets: Sequence[NDArray]) -> Part:
        return {"labels": torch.from_numpy(Rows.of(targets).padded(NOTHING).astype(np.int64))}

    def loss(self, memory: Memory, target: Part, progress: float = 1.0) -> Loss:
        counted = target["labels"] != NOTHING
        x, labels = memory.x[counted], target["labels"][counted]
        total = projected_cross_entropy(x, self.output.weight, self.output.bias, labels, self.smoothing)
        return Loss(total, float(len(labels)))

    def answer(
        self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()
    ) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """For each row (number of the label, its probability), one per element."""
        probability, label = self._probabilities(memory, others).max(-1)
        lengths = [memory.x.shape[1]] * len(label) if memory.keys is None else memory.keys.sum(-1).tolist()
        labels, probabilities = label.cpu().numpy(), probability.cpu().numpy()
        return [(labels[row, :length], probabilities[row, :length]) for row, length in enumerate(lengths)]

    def doubtful(self, found: Sequence[Any], memory: Memory, others: Sequence[tuple[Any, Memory]] = ()) -> list[bool]:
        if self.output.out_features < 2:
            return [False] * len(found)
        best = self._probabilities(memory, others).topk(2, dim=-1).values
        near = best[..., 0] - best[..., 1] < NEAR
        return (near if memory.keys is None else near & memory.keys).any(-1).tolist()

    def _probabilities(self, memory: Memory, others: Sequence[tuple[Any, Memory]]) -> Tensor:
        """(B, T, L), of an ensemble their mean."""
        together = [task.output(x.x).float().softmax(-1) for task, x in ((self, memory), *others)]
        return torch.stack(together).mean(0)
