"""N -> N': a new sequence whose length the machine decides (translation, spelling to sound, speech to text)."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from torch import nn

from headway.batch import Loss, Memory, Part
from headway.decoders import DECODERS, Decoder, TargetSizes
from headway.decoders.autoregressive import Autoregressive
from headway.errors import UsageError
from headway.layers.encoder import EncoderSettings
from headway.search import Hypotheses, Search
from headway.search.rerank import rerank
from headway.settings import Branch, Names, Rate
from headway.tasks import Task


class Settings(Branch):
    decoder: Annotated[Branch, DECODERS] = DECODERS.default("autoregressive")
    "How the new sequence is written."
    draft: Annotated[Branch | None, DECODERS] = None
    "A second writer on the same encoder, which writes all at once what the autoregressive decoder verifies."
    draft_weight: Annotated[float, Field(gt=0)] = 0.5
    "What the draft's loss counts beside the decoder's."
    glancing: bool = False
    "Whether a writer that writes all at once is shown some of the right tokens while it learns (length, ctc, dag)."
    smoothing: Rate = 0.1
    "Share of the target that is spread over all tokens."
    metrics: Names | None = None
    "What it is measured by, the first decides; chosen by what the targets look like where none are given."


REVEALED = (0.5, 0.3)
"""Of a glancing writer's mistakes: the share that is shown at the beginning and at the end (Qian et al. 2021)."""


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
        self.draft_weight, self.glancing = settings.draft_weight, settings.glancing
        _check(settings)
        self.decoder: Decoder = DECODERS.build(settings.decoder, shape, sizes, source_table)
        self.draft: Decoder | None = None
        if settings.draft is not None:
            self.draft = DECODERS.build(settings.draft, shape, sizes, source_table)

    @property
    def writers(self) -> tuple[Decoder, ...]:
        """The decoder, and the draft where there is one."""
        return (self.decoder,) if self.draft is None else (self.decoder, self.draft)

    @property
    def modes(self) -> tuple[str, ...]:
        """The ways in which it can write, the default first."""
        both = tuple(mode for writer in self.writers for mode in writer.modes)
        return both if self.draft is None else (*both, "rerank")

    def collate(self, targets: Sequence[NDArray]) -> Part:
        return {name: tensor for writer in self.writers for name, tensor in writer.collate(targets).items()}

    def reaches(self, read: NDArray, targets: Sequence[NDArray]) -> NDArray:
        """(N) whether every writer can write the target of a source with so many elements."""
        return np.logical_and.reduce([writer.reaches(read, targets) for writer in self.writers])

    def loss(self, memory: Memory, target: Part, progress: float = 1.0) -> Loss:
        revealed = REVEALED[0] + (REVEALED[1] - REVEALED[0]) * progress if self.glancing and self.training else 0.0
        own, *drafts = [
            writer.loss(memory, target, self.smoothing, revealed if writer.glances else 0.0) for writer in self.writers
        ]
        if not drafts:
            return own
        (draft,) = drafts
        parts = {"decoder": (float(own.total.detach()), own.count), "draft": (float(draft.total.detach()), draft.count)}
        return Loss(own.total + self.draft_weight * draft.total, own.count, parts)

    def answer(self, memory: Memory, search: Search, others: Sequence[tuple[Any, Memory]] = ()) -> Hypotheses:
        """For each row its hypotheses, best first."""
        draft, decoder = self.draft, self.decoder
        if draft is not None and search.mode == "nat":
            return draft.generate(memory, search, [(task.draft, x) for task, x in others])
        if draft is not None and isinstance(decoder, Autoregressive) and not others:
            if search.mode == "rerank":
                return _reranked(draft, decoder, memory, search)
            if search.mode == "verify" or (search.mode == "auto" and len(memory.x) <= search.verify_rows):
                drafts = draft.generate(memory, Search("nat", limit=search.limit))
                return decoder.verified(memory, search, [found[0] for found in drafts])
        return decoder.generate(memory, search, [(task.decoder, x) for task, x in others])

    def doubtful(self, found: Hypotheses, memory: Memory, others: Sequence[tuple[Any, Memory]] = ()) -> list[bool]:
        return [any(one.close for one in hypotheses) for hypotheses in found]


def _reranked(draft: Decoder, decoder: Autoregressive, memory: Memory, search: Search) -> Hypotheses:
    """Of several drafts of each row the best by the decoder, which reads them all in one pass."""
    if search.prefixes is not None:
        raise UsageError(
            "what is written all at once begins as it begins: a forced prefix is for the modes greedy, beam, sample "
            "and verify"
        )
    drafts = draft.candidates(memory, search.candidates, search.limit)
    scored = partial(decoder.scored, memory)
    found = rerank(drafts, scored, search.length_penalty, search.nbest, search.trace)
    return decoder.aligned(memory, found) if search.alignments else found


def _check(settings: Settings) -> None:
    """Raises UsageError for writers that do not go together."""
    decoder = DECODERS.part(DECODERS.name_of(settings.decoder))
    draft = None if settings.draft is None else DECODERS.part(DECODERS.name_of(settings.draft))
    if draft is not None and ("nat" in decoder.modes or "nat" not in draft.modes):
        raise UsageError(
            "a draft is written all at once, and verified by an autoregressive decoder: set model.task.decoder "
            "autoregressive and model.task.draft one of the others, for example ctc"
        )
    if settings.glancing and not (decoder.glances or (draft is not None and draft.glances)):
        able = [name for name in DECODERS.names() if DECODERS.part(name).glances]
        raise UsageError(
            f"model.task.glancing shows a writer that writes all at once some of the right tokens ({', '.join(able)}), "
            "and there is none here: set model.task.decoder or model.task.draft to one of them"
        )
