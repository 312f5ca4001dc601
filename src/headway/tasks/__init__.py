"""What is asked of a row of vectors?  One file a question: its loss, its answer, and what it is measured by."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from headway.batch import Loss, Memory, Part
from headway.search import Search
from headway.settings import Names, Room


class Task(nn.Module):
    metrics: Names
    "Names in the room of metrics; the first decides which checkpoint is the best."

    def collate(self, targets: Sequence[Any]) -> Part:
        """Encoded targets of one batch as tensors."""
        raise NotImplementedError

    def loss(self, memory: Memory, target: Part, progress: float = 1.0) -> Loss:
        """The loss of one batch, summed; progress is the share of training that is done."""
        raise NotImplementedError

    def answer(self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()) -> list[Any]:
        """For each row the encoded answer, and what is known of its probability.

        others     further tasks of the same kind with what their own encoders made of the batch: an ensemble, whose
                   probabilities are averaged
        """
        raise NotImplementedError

    def doubtful(
        self, found: Sequence[Any], memory: Memory, others: Sequence[tuple[Any, Memory]] = ()
    ) -> Sequence[bool]:
        """For each row whether what `answer` found was decided so closely that neighbours in the batch may turn it."""
        return [False] * len(found)


NEAR = 1e-5
"""Probabilities that are nearer to each other may change places in another batch; measured are differences of 3e-7."""

TASKS = Room(__name__, Task, "task")
