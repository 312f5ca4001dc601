"""The exact attention weights of any layer, with the elements they belong to."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from headway.batch import BEGIN, END, SPECIALS, Batch, Example
from headway.data.codecs import Sequences
from headway.data.encoding import Codecs, Encoded
from headway.decoders.autoregressive import Autoregressive
from headway.errors import UsageError, unknown
from headway.layers.mixers.attention import Attention, observed
from headway.model import Model
from headway.search import Hypothesis, Search
from headway.tasks.transduce import Transduce

PARTS = ("encoder", "decoder", "cross")
"""How the input looks at itself, what is written at itself, and what is written at the input."""
ROWS = 32
"""Inputs that go through the model together."""

Labels = tuple[str, ...]
Numbers = int | Sequence[int] | None
"""Of layers or heads: one, some, or all."""
Watching = Callable[[Sequence[Attention]], AbstractContextManager[list[list[Any]]]]
"""Watches some layers, and keeps something of every call of each."""


@dataclass(frozen=True, slots=True)
class AttentionMap:
    """How much each position took of each other, for one input: exact, whichever engine answers.

    weights    (layers, heads, T, S) rows of position i, columns of position j
    asking     T elements: who looks; in a decoder, the token that is written there, END among them
    asked      S elements: what is looked at; in a decoder's own sequence, the token that is read there, BEGIN first
    layers     the numbers of the layers given, from 0
    heads      the numbers of the heads given, from 0
    """

    weights: NDArray[np.float32]
    asking: Labels
    asked: Labels
    layers: tuple[int, ...]
    heads: tuple[int, ...]


class Inspector:
    """Some layers and heads of one part of a model, ready to be watched; only these are computed by the definition."""

    def __init__(
        self,
        model: Model,
        codecs: Codecs,
        part: str,
        layers: Numbers = None,
        heads: Numbers = None,
    ):
        """Raises UsageError for a part, a layer or a head that the model does not have."""
        mixers = _attentions(model, part)
        self.model, self.codecs, self.part = model, codecs, part
        self.layers = _numbers("layer", layers, len(mixers))
        self.heads = _numbers("head", heads, mixers[0].heads)
        self.mixers = [mixers[layer] for layer in self.layers]

    def maps(
        self,
        encoded: Encoded,
        examples: Sequence[Example],
        device: torch.device,
        written: Sequence[Hypothesis] | None = None,
    ) -> list[AttentionMap]:
        """One for every example, each encoded in one piece.

        written    what a decoder wrote for each; its targets where none is given, greedy answers where they have none
        """
        found: list[AttentionMap] = []
        for start in range(0, len(encoded), ROWS):
            rows = np.arange(start, min(start + ROWS, len(encoded)))
            batch = encoded.batch(rows, self.codecs.source, self.model.task).to(device)
            pairs = [(examples[row].source, len(encoded.sources[row])) for row in rows.tolist()]
            sources = [self.codecs.source.elements(source)[:length] for source, length in pairs]
            some = None if written is None else [written[row] for row in rows.tolist()]
            if some is None and encoded.targets:
                some = [Hypothesis(tuple(encoded.targets[row].tolist())) for row in rows.tolist()]
            found += self._batch(batch, sources, some)
        return found

    def _batch(self, batch: Batch, sources: list[Labels], written: list[Hypothesis] | None) -> list[AttentionMap]:
        with torch.inference_mode():
            asking, asked, seen = self.watched(batch, sources, written, observed)
            weights = torch.stack([calls[0][:, list(self.heads)] for calls in seen], 1).float().cpu().numpy()
        return [
            AttentionMap(row[:, :, : len(i), : len(j)], i, j, self.layers, self.heads)
            for row, i, j in zip(weights, asking, asked, strict=True)
        ]

    def watched(
        self, batch: Batch, sources: list[Labels], written: list[Hypothesis] | None, watch: Watching
    ) -> tuple[list[Labels], list[Labels], list[list[Any]]]:
        """For each row who looks and what is looked at; of each layer what `watch` saw of its one call."""
        with torch.inference_mode():
            if self.part == "encoder":
                asking = asked = sources
                with watch(self.mixers) as seen:
                    self.model.encode(batch)
            else:
                decoder, memory = _writer(self.model, self.part), self.model.encode(batch)
                if written is None:
                    written = [hypotheses[0] for hypotheses in decoder.generate(memory, Search())]
                targets = [np.array(hypothesis.tokens, np.int32) for hypothesis in written]
                asking, read = self._written(targets, [hypothesis.finished for hypothesis in written])
                asked = sources if self.part == "cross" else read
                target = {name: tensor.to(memory.x.device) for name, tensor in decoder.collate(targets).items()}
                with watch(self.mixers) as seen:
                    decoder.score(memory, target)
        return asking, asked, seen

    def _written(self, targets: list[NDArray], ended: list[bool]) -> tuple[list[Labels], list[Labels]]:
        """What is written and what is read at every position; END is written only where a sequence came to it."""
        codec = self.codecs.target
        assert isinstance(codec, Sequences)
        pieces = [codec.tokenizer.pieces(tokens.tolist()) for tokens in targets]
        written = [(*row, SPECIALS[END])[: len(row) + end] for row, end in zip(pieces, ended, strict=True)]
        read = [(SPECIALS[BEGIN], *row)[: len(asking)] for row, asking in zip(pieces, written, strict=True)]
        return written, read


def parts_of(model: Model) -> dict[str, tuple[int, int]]:
    """The parts of a model that have attention, each with its layers and the heads of a layer."""
    found: dict[str, tuple[int, int]] = {}
    for part in PARTS:
        try:
            mixers = _attentions(model, part)
        except UsageError:
            continue
        found[part] = len(mixers), mixers[0].heads
    return found


def _attentions(model: Model, part: str) -> list[Attention]:
    """The attention of every layer of a part."""
    if part not in PARTS:
        raise UsageError(unknown("part of the model", part, PARTS))
    if part == "encoder":
        mixers: list[Any] = [block.mixer for block in model.encoder.blocks]
    else:
        blocks = _writer(model, part).stack.blocks
        mixers = [block.mixer if part == "decoder" else block.cross for block in blocks]
    other = next((mixer for mixer in mixers if not isinstance(mixer, Attention)), None)
    if other is not None:
        raise UsageError(f"part {part} has the mixer {type(other).__name__.lower()}, and that has no attention weights")
    return mixers


def _writer(model: Model, part: str) -> Autoregressive:
    if not (isinstance(model.task, Transduce) and isinstance(model.task.decoder, Autoregressive)):
        raise UsageError(f"part {part} is of an autoregressive decoder, and this run has none: choose part encoder")
    return model.task.decoder


def _numbers(what: str, wanted: Numbers, count: int) -> tuple[int, ...]:
    numbers = tuple(range(count)) if wanted is None else (wanted,) if isinstance(wanted, int) else tuple(wanted)
    for number in numbers:
        if not 0 <= number < count:
            raise UsageError(f"there is no {what} {number}: they are numbered 0 to {count - 1}")
    if not numbers:
        raise UsageError(f"no {what} is asked for: name some of 0 to {count - 1}, or leave it out for all")
    return numbers
