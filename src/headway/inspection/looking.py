"""A look at one input: the answer, and the attention of every part on the way to it."""

from typing import Any

import numpy as np
import torch

from headway.batch import Example, Value
from headway.data.encoding import Codecs, Encoded
from headway.errors import UsageError
from headway.inspection.integrated import attributed
from headway.inspection.maps import PARTS, AttentionMap, Inspector, Numbers
from headway.inspection.scenes import scene_of
from headway.inspection.view import View
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
    device, written = next(model.parameters()).device, None
    batch = encoded.batch(np.array([0]), codecs.source, model.task).to(device)
    with torch.inference_mode():
        raw: Any = model.answer(batch, search)[0]
    if isinstance(model.task, Transduce):
        if encoded.targets:
            raw = [Hypothesis(tuple(encoded.targets[0].tolist()))]
        written = [raw[0]]
    answer = codecs.target.answer(raw, codecs.source.elements(example.source), scores=not encoded.targets)
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


def said(source: Any) -> str:
    """A source on one line."""
    return str(source) if isinstance(source, (str, Value)) else " ".join(map(str, source))
