"""Answers for encoded rows, in the order of their examples, and how good they are."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from headway.batch import Answer, Example
from headway.data.batching import in_order_of_length
from headway.data.encoding import Codecs, Encoded, Window
from headway.metrics import Metric, measures
from headway.model import Model
from headway.search import Search, Watch


def answers(
    model: Model,
    codecs: Codecs,
    encoded: Encoded,
    examples: Sequence[Example],
    search: Search,
    budget: int,
    device: torch.device,
    others: Sequence[Model] = (),
) -> list[Answer]:
    """One answer per example; rows of like length are answered together, and windows are joined again.

    budget    padded tokens that go through the model at once
    others    further models of an ensemble
    """
    pieces: list[list[tuple[Window, Any]]] = [[] for _ in examples]
    for row, raw in _raw_answers(model, codecs, encoded, search, budget, device, others):
        window = encoded.windows[row]
        pieces[window.example].append((window, raw))
    found: list[Answer] = []
    for example, parts in zip(examples, pieces, strict=True):
        parts.sort(key=lambda part: part[0].start)
        raw = parts[0][1]
        if len(parts) > 1:
            raw = codecs.target.join([(raw, w.keep - w.start, w.until - w.start) for w, raw in parts])
        found.append(codecs.target.answer(raw, codecs.source.elements(example.source), search.scores))
    return found


def _raw_answers(
    model: Model,
    codecs: Codecs,
    encoded: Encoded,
    search: Search,
    budget: int,
    device: torch.device,
    others: Sequence[Model],
) -> Iterator[tuple[int, Any]]:
    """(row, what the task answered), batch by batch."""
    training = model.training
    model.eval()
    unlabelled = replace(encoded, targets=[])
    with torch.inference_mode():
        for rows in in_order_of_length(encoded.sources.lengths.clip(1), budget):
            batch = unlabelled.batch(rows, codecs.source, model.task).to(device)
            asked = _of_rows(search, encoded, codecs, batch.rows)
            found, doubts = model.answer_and_doubt(batch, asked, others)
            for row, raw, doubt in zip(batch.rows, found, doubts, strict=True):
                if doubt:  # a close tie is decided as it is where the row is alone
                    alone = unlabelled.batch(np.array([row]), codecs.source, model.task).to(device)
                    asked = replace(_of_rows(search, encoded, codecs, alone.rows), watch=None)
                    raw = model.answer(alone, asked, others)[0]
                yield row, raw
            if search.watch is not None:
                search.watch(tuple)
    model.train(training)


def _of_rows(search: Search, encoded: Encoded, codecs: Codecs, rows: Sequence[int]) -> Search:
    """What is asked of these rows: of all examples, what belongs to theirs, and what they may copy."""
    examples = [encoded.windows[row].example for row in rows]
    if search.prefixes is not None:
        search = replace(search, prefixes=[search.prefixes[example] for example in examples])
    if search.watch is not None:
        search = replace(search, watch=_of_examples(search.watch, examples))
    if search.numbers is not None:
        search = replace(search, numbers=[search.numbers[example] for example in examples])
    if search.mode in ("auto", "verify") and codecs.copied:
        search = replace(search, sources=[encoded.sources[row].tolist() for row in rows])
    return search


def _of_examples(watch: Watch, examples: Sequence[int]) -> Watch:
    """A watch of the rows of a batch, where `watch` knows examples."""
    return lambda written: watch(lambda: ((examples[row], token) for row, token in written()))


def measure(names: Sequence[str], found: Sequence[Answer], examples: Sequence[Example]) -> dict[str, Metric]:
    """Metrics of answers, by name. Raises UsageError for a name there is not."""
    metrics = measures(names)
    for metric in metrics.values():
        metric.add(found, examples)
    return metrics


def loss_of(model: Model, codecs: Codecs, encoded: Encoded, budget: int, device: torch.device) -> tuple[float, float]:
    """(sum of the loss, count) over rows whose targets are known."""
    training = model.training
    model.eval()
    total = count = 0.0
    with torch.inference_mode():
        for rows in in_order_of_length(encoded.costs, budget):
            loss = model(encoded.batch(rows, codecs.source, model.task).to(device))
            total, count = total + float(loss.total), count + loss.count
    model.train(training)
    return total, count
