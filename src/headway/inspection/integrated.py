"""Integrated gradients (Sundararajan et al. 2017) of an output by the elements of the input, by Captum.

The path leads from an input of which nothing is known (every word unknown, the mean sound) to the real one, in a
straight line between the vectors that enter the encoder. What the elements add sums to the difference of the outputs at
its ends; how near that is tells whether there were enough steps. A path from zeros would not do: a norm turns a vector
of almost nothing into one of full length, and all would happen in the first step.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from headway.batch import END, SPECIALS, UNKNOWN, Batch, Memory, Part
from headway.data.codecs import Classes, Sequences, Tags, TargetCodec
from headway.decoders._writer import without_specials
from headway.decoders.autoregressive import Autoregressive
from headway.errors import MissingPackage, UsageError
from headway.inputs import Input
from headway.inputs.graph import GraphInput
from headway.inputs.text import TextInput
from headway.inspection.attributions import Attribution
from headway.model import Model
from headway.search import Hypothesis, Watch
from headway.tasks.classify import Classify
from headway.tasks.regress import Regress
from headway.tasks.tag import Tag
from headway.tasks.transduce import Transduce

METHOD = "integrated gradients"
STEPS = (64, 256, 1024)
"""Points of the path; more where the sum is not near enough."""
NEAR = 0.01
"""How far the sum may be from the difference of the outputs, as a share of it; of a difference below 1, absolute."""
MOST = 12
"""Outputs of one input that are explained, the first ones, where none are named."""
ROWS, ELEMENTS = 32, 4096
"""Points that go through the model together; fewer of an input so long that they would be more elements than that."""
NAMED = 20
"""Outputs that a complaint names."""

Output = tuple[str, Callable[[Memory], Tensor]]
"""What is explained, in words, and its value (B) for what the encoder gave."""


def attributed(
    model: Model,
    target: TargetCodec,
    batch: Batch,
    elements: Sequence[str],
    raw: Sequence[Hypothesis] | None,
    chosen: Sequence[int] | None = None,
    watch: Watch | None = None,
) -> tuple[Attribution, ...]:
    """How much each element of the one row of a batch added to the outputs.

    Raises UsageError where that cannot be, MissingPackage without captum.

    raw       what a decoder wrote
    chosen    which outputs, from 0; the first ones where none are named
    watch     is told before all that goes through the model, and ends it by what it raises
    """
    try:
        from captum.attr import IntegratedGradients
    except ImportError:
        raise MissingPackage("captum", "explain", "an attribution") from None
    with torch.no_grad():
        vectors = model.input(batch.input)
        start = nothing_known(model.input, batch.input)
        outputs = _chosen(_outputs(model, target, model.encode(batch), raw), chosen)
    together = max(1, min(ROWS, ELEMENTS // vectors.x.shape[1]))

    def memory(x: Tensor) -> Memory:
        if watch is not None:
            watch(tuple)
        mask, bias, rows = vectors.mask, vectors.bias, len(x)
        if mask.edges is not None:
            mask = replace(mask, edges=mask.edges.expand(rows, -1, -1), _made={})
        bias = None if bias is None else bias.expand(rows, -1, -1, -1)
        return model.encoder(x, mask, bias)

    found = []
    for name, value in outputs:
        gradients = IntegratedGradients(lambda x, value=value: value(memory(x)))
        added: list[float] = []
        with torch.no_grad():
            ends = [float(value(memory(x))) for x in (start, vectors.x)]
        for steps in STEPS:
            parts = gradients.attribute(vectors.x, start, n_steps=steps, internal_batch_size=together)
            added = parts.sum(-1)[0].tolist()
            if abs(sum(added) - (ends[1] - ends[0])) <= NEAR * max(1.0, abs(ends[1] - ends[0])):
                break
        found.append(Attribution(name, METHOD, tuple(elements), tuple(added), *ends))
    return tuple(found)


def nothing_known(module: Input, part: Part) -> Tensor:
    """(1, S, D) what the input gives for as many elements of which nothing is known."""
    if isinstance(module, TextInput):
        return module.element_vectors(torch.full_like(part["ids"], UNKNOWN))
    changed = {
        name: torch.zeros_like(part[name]) for name in ("frames", "vectors", "numbers", "places") if name in part
    }
    if isinstance(module, GraphInput):
        changed["values"] = module.unknown[part["values"]]
    return module(part | changed).x


def _chosen(outputs: Mapping[int, Output], chosen: Sequence[int] | None) -> list[Output]:
    """Those that are named, or the first ones. Raises UsageError for one that is not there."""
    if chosen is None:
        return list(outputs.values())[:MOST]
    for number in chosen:
        if number not in outputs:
            there = [*map(str, list(outputs)[:NAMED]), *(["…"] if len(outputs) > NAMED else [])]
            raise UsageError(f"there is no output {number} to explain; there are: {', '.join(there) or 'none'}")
    return [outputs[number] for number in chosen]


def _outputs(
    model: Model, target: TargetCodec, memory: Memory, raw: Sequence[Hypothesis] | None
) -> Mapping[int, Output]:
    """What there is to explain, by its place in the answer."""
    task = model.task
    if isinstance(task, Classify) and isinstance(target, Classes):
        return dict(enumerate(_of_classes(task, target, memory)))
    if isinstance(task, Tag) and isinstance(target, Tags):
        numbers = task.output(memory.x)[0].argmax(-1).tolist()

        def label(place: int, number: int) -> Output:
            name = f"label {target.labels[number]} of element {place + 1}"
            return name, lambda m: task.output(m.x[:, place]).float().log_softmax(-1)[:, number]

        return {place: label(place, number) for place, number in enumerate(numbers)}
    if isinstance(task, Regress):
        return {0: ("the number", task.in_unit)}
    if isinstance(task, Transduce) and isinstance(task.decoder, Autoregressive) and raw is not None:
        return _of_tokens(task.decoder, target, raw[0])
    raise UsageError("attributions follow the log probabilities of an autoregressive decoder, and this run has none")


def _of_classes(task: Classify, target: Classes, memory: Memory) -> list[Output]:
    """The log probability of the label, or of each of several that apply (of the most probable, where none does)."""
    chances = task.probabilities(memory)[0]
    chosen = torch.nonzero(chances > 0.5)[:, 0].tolist() if task.several else []

    def label(number: int) -> Output:
        return f"label {target.labels[number]}", lambda m: task.probabilities(m)[:, number].log()

    return [label(number) for number in chosen or [int(chances.argmax())]]


def _of_tokens(decoder: Autoregressive, target: TargetCodec, written: Hypothesis) -> Mapping[int, Output]:
    """The log probability of every token, given those before it; of none that the vocabulary lacks."""
    assert isinstance(target, Sequences)
    tokens = (*written.tokens, END)[: len(written.tokens) + written.finished]
    pieces = (*target.tokenizer.pieces(written.tokens), SPECIALS[END])
    read = decoder.collate([np.array(written.tokens, np.int32)])["read"].to(decoder.output.device)

    def token(place: int, number: int) -> Output:
        def value(memory: Memory) -> Tensor:
            before = read[:, : place + 1].expand(len(memory.x), -1)
            states = decoder.stack(decoder.vectors(before), memory)[:, place]
            logits = F.linear(states, decoder.output, decoder.output_bias).float()
            return without_specials(logits.clone()).log_softmax(-1)[:, number]

        return f"token {place + 1}: {pieces[place]}", value

    return {place: token(place, number) for place, number in enumerate(tokens) if number != UNKNOWN}
