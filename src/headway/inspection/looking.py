"""A look at one input: the answer, and the attention of every part on the way to it."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from headway.batch import Example, Value
from headway.data.encoding import Codecs, Encoded
from headway.decoders.autoregressive import Autoregressive
from headway.errors import UsageError
from headway.inspection.attributions import Attribution
from headway.inspection.computing import Computation, computed
from headway.inspection.integrated import attributed
from headway.inspection.maps import PARTS, AttentionMap, Inspector, Labels, Numbers
from headway.inspection.scenes import scene_of
from headway.inspection.view import View
from headway.layers.mixers.attention import given_to
from headway.model import Model
from headway.run import Run
from headway.search import Hypothesis, Search
from headway.tasks.transduce import Transduce


class Looked:
    """One example, encoded in one piece, and answered once however much is asked about it.

    With a target it is read as if it had been written; otherwise what `search` finds is.
    """

    def __init__(self, run: Run, codecs: Codecs, model: Model, encoded: Encoded, example: Example, search: Search):
        model.eval()
        self.run, self.codecs, self.model = run, codecs, model
        self.encoded, self.example, self.search = encoded, example, search
        self.device = next(model.parameters()).device
        self.batch = encoded.batch(np.array([0]), codecs.source, model.task).to(self.device)
        self.elements = codecs.source.elements(example.source)

    @cached_property
    def answered(self) -> tuple[Any, list[Hypothesis] | None]:
        """What the task answers; and what is written, where that is a sequence: the target, if one is given."""
        model = self.model
        with torch.inference_mode():
            if not isinstance(model.task, Transduce):
                return model.answer(self.batch, self.search)[0], None
            if self.encoded.targets:
                assert isinstance(model.task.decoder, Autoregressive)
                tokens = tuple(self.encoded.targets[0].tolist())
                (log_p,) = model.task.decoder.scored(model.encode(self.batch), [0], [tokens])
                raw = [Hypothesis(tokens, tuple(log_p))]
            else:
                raw = model.answer(self.batch, self.search)[0]
            return raw, [raw[0]]

    def view(self, layers: Numbers = None, heads: Numbers = None) -> View:
        """The answer, and where each part looked. Raises UsageError for layers and heads that no part has."""
        raw, written = self.answered
        answer = self.codecs.target.answer(raw, self.elements, scores=True)
        maps: dict[str, AttentionMap] = {}
        missing: dict[str, str] = {}
        for part in PARTS if written else PARTS[:1]:
            try:
                inspector = Inspector(self.model, self.codecs, part, layers, heads)
            except UsageError as error:
                missing[part] = str(error)
                continue
            (maps[part],) = inspector.maps(self.encoded, [self.example], self.device, written)
        if not maps and not (layers is None and heads is None):
            raise UsageError(next(iter(missing.values())))
        scene = scene_of(self.codecs.source, self.encoded.sources[0])
        return View(self.run.task, self.run.kind, said(self.example.source), answer, maps, missing, scene)

    def attributions(self, outputs: Sequence[int] | None = None) -> tuple[Attribution, ...]:
        """How much each element added to these outputs, from 0; to the first ones where none are named."""
        written = self.answered[1]
        return attributed(self.model, self.codecs.target, self.batch, self._read, written, outputs, self.search.watch)

    def computation(self, part: str, layer: int, head: int) -> Computation:
        """The numbers of one head. Raises UsageError where there is none."""
        inspector = Inspector(self.model, self.codecs, part, layer, head)
        written = None if part == "encoder" else self.answered[1]
        (asking,), (asked,), ((given, *_),) = inspector.watched(self.batch, [self._read], written, given_to)
        with torch.inference_mode():
            return computed(inspector.mixers[0], given, part, layer, head, asking, asked)

    @property
    def _read(self) -> Labels:
        """The elements without those that were cut off."""
        return self.elements[: len(self.encoded.sources[0])]


def said(source: Any) -> str:
    """A source on one line."""
    return str(source) if isinstance(source, (str, Value)) else " ".join(map(str, source))
