"""Model = input + encoder + task."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from torch import nn

from headway.batch import Batch, Loss, Memory
from headway.inputs import INPUTS
from headway.layers.encoder import Encoder, EncoderSettings
from headway.search import Search
from headway.settings import Branch
from headway.tasks import TASKS


class ModelSettings(Branch):
    input: Annotated[Branch, INPUTS] = INPUTS.default("text")
    "How a raw value becomes a row of vectors."
    encoder: EncoderSettings = EncoderSettings()
    "What turns vectors into vectors that know their surroundings."
    task: Annotated[Branch, TASKS] = TASKS.default("classify")
    "What is asked: tag, classify, regress or transduce."


class Model(nn.Module):
    """A row of vectors in, an answer out. Sizes that come from data are arguments: of the input and of the task."""

    def __init__(self, settings: ModelSettings, input_sizes: Any, task_sizes: Mapping[str, Any]):
        super().__init__()
        self.input = INPUTS.part(INPUTS.name_of(settings.input)).made(settings.input, settings.encoder, input_sizes)
        self.encoder = Encoder(settings.encoder)
        more = {"source_table": getattr(self.input, "embedding", None)} if "sizes" in task_sizes else {}
        self.task = TASKS.build(settings.task, settings.encoder, **task_sizes, **more)

    def encode(self, batch: Batch) -> Memory:
        """The encoder's output for a batch."""
        vectors = self.input(batch.input)
        return self.encoder(vectors.x, vectors.mask, vectors.bias)

    def forward(self, batch: Batch) -> Loss:
        """The loss of a batch: what training calls, also through wrappers that only know `forward`."""
        return self.task.loss(self.encode(batch), batch.target, batch.progress)

    def answer(self, batch: Batch, search: Search, others: Sequence["Model"] = ()) -> Sequence[Any]:
        """The encoded answer of every row; with others, of models of the same data, that of all together."""
        return self.answer_and_doubt(batch, search, others)[0]

    def answer_and_doubt(
        self, batch: Batch, search: Search, others: Sequence["Model"] = ()
    ) -> tuple[Sequence[Any], Sequence[bool]]:
        """The same, and of every row whether it was decided so closely that its neighbours may have turned it."""
        memory, more = self.encode(batch), [(other.task, other.encode(batch)) for other in others]
        found = self.task.answer(memory, search, more)
        return found, self.task.doubtful(found, memory, more) if len(batch) > 1 else [False] * len(found)
