"""N -> N': a new sequence whose length the machine decides (translation, spelling to sound, speech to text)."""

from collections.abc import Sequence
from typing import Annotated, Any

from numpy.typing import NDArray
from torch import nn

from headway.batch import Loss, Memory, Part
from headway.decoders import DECODERS, TargetSizes
from headway.layers.encoder import EncoderSettings
from headway.search import Hypotheses, Search
from headway.settings import Branch, Names, Rate
from headway.tasks import Task


class Settings(Branch):
    decoder: Annotated[Branch, DECODERS] = DECODERS.default("autoregressive")
    "How the new sequence is written."
    smoothing: Rate = 0.1
    "Share of the target that is spread over all tokens."
    metrics: Names | None = None
    "What it is measured by, the first decides; chosen by what the targets look like where none are given."


class Transduce(Task):
    def __init__(
        self,
        settings: Settings,
        shape: EncoderSettings,
        sizes: TargetSizes,
        source_table: nn.Parameter | None,
        metrics: Names,
    ):
        """metrics: what the data suggests; source_table: the source's vectors, for a decoder that shares them."""
        super().__init__()
        self.smoothing, self.metrics = settings.smoothing, settings.metrics or metrics
        self.decoder = DECODERS.build(settings.decoder, shape, sizes, source_table)

    def collate(self, targets: Sequence[NDArray]) -> Part:
        return self.decoder.collate(targets)

    def loss(self, memory: Memory, target: Part) -> Loss:
        return self.decoder.loss(memory, target, self.smoothing)

    def answer(self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()) -> Hypotheses:
        """For each row its hypotheses, best first."""
        return self.decoder.generate(memory, search, [(task.decoder, x) for task, x in others])
