"""A look at one input: the answer, and the attention of every part on the way to it."""

from typing import Any

import numpy as np
import torch

from headway.batch import Batch, Example, Value
from headway.data.encoding import Codecs, Encoded
from headway.decoders.autoregressive import Autoregressive
from headway.errors import UsageError
from headway.inspection.computing import Computation, computed
from headway.inspection.integrated import attributed
from headway.inspection.maps import PARTS, AttentionMap, Inspector, Numbers
from headway.inspection.scenes import scene_of
from headway.inspection.view import View
from headway.layers.mixers.attention import given_to
from headway.model import Model
from headway.run import Run
from headway.search import Hypothesis, Search
from headway.tasks.transduce import Transduce


def looked(
    run: Run,
    codecs: Codecs,
    model: Model,
    encoded: Encoded,
    example: Example,
    search: Search,
    layers: Numbers = None,
    heads: Numbers = None,
    with_attributions: bool = False,
) -> View:
    """The view of one example, which is encoded in one piece.

    With a target it is read as if it had been written; otherwise what `search` finds is.
    Raises UsageError for layers and heads that no part has.
    """
    model.eval()
    device = next(model.parameters()).device
    batch = encoded.batch(np.array([0]), codecs.source, model.task).to(device)
    raw, written = _answered(model, encoded, batch, search)
    answer = codecs.target.answer(raw, codecs.source.elements(example.source), scores=True)
    maps: dict[str, AttentionMap] = {}
    missing: dict[str, str] = {}
    for part in PARTS if written else PARTS[:1]:
        try:
            inspector = Inspector(model, codecs, part, layers, heads)
        except UsageError as error:
            missing[part] = str(error)
            continue
        (maps[part],) = inspector.maps(encoded, [example], device, written)
    if not maps and not (layers is None and heads is None):
        raise UsageError(next(iter(missing.values())))
    scene = scene_of(codecs.source, encoded.sources[0])
    attributions = ()
    if with_attributions:
        attributions = attributed(model, codecs.target, batch, codecs.source.elements(example.source), written)
    return View(run.task, run.kind, said(example.source), answer, maps, missing, scene, attributions)


def computation_of(
    codecs: Codecs, model: Model, encoded: Encoded, example: Example, search: Search, part: str, layer: int, head: int
) -> Computation:
    """The numbers of one head for one example, which is encoded in one piece. Raises UsageError where there is none."""
    model.eval()
    inspector = Inspector(model, codecs, part, layer, head)
    device = next(model.parameters()).device
    batch = encoded.batch(np.array([0]), codecs.source, model.task).to(device)
    written = None if part == "encoder" else _answered(model, encoded, batch, search)[1]
    sources = [codecs.source.elements(example.source)[: len(encoded.sources[0])]]
    (asking,), (asked,), ((given, *_),) = inspector.watched(batch, sources, written, given_to)
    with torch.inference_mode():
        return computed(inspector.mixers[0], given, part, layer, head, asking, asked)


def _answered(model: Model, encoded: Encoded, batch: Batch, search: Search) -> tuple[Any, list[Hypothesis] | None]:
    """What the task answers for one row; and what is written, where that is a sequence: the target, if one is given."""
    with torch.inference_mode():
        if not isinstance(model.task, Transduce):
            return model.answer(batch, search)[0], None
        if encoded.targets:
            assert isinstance(model.task.decoder, Autoregressive)
            tokens = tuple(encoded.targets[0].tolist())
            (log_p,) = model.task.decoder.scored(model.encode(batch), [0], [tokens])
            raw = [Hypothesis(tokens, tuple(log_p))]
        else:
            raw = model.answer(batch, search)[0]
        return raw, [raw[0]]


def said(source: Any) -> str:
    """A source on one line."""
    return str(source) if isinstance(source, (str, Value)) else " ".join(map(str, source))
