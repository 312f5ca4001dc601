"""Answers for encoded rows, in the order of their examples, and how good they are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from headway.batch import Answer, Batch, Example
from headway.data.batching import in_order_of_length
from headway.data.encoding import Codecs, Encoded, Window
from headway.decoders.autoregressive import Autoregressive
from headway.errors import LackOfMemory, Where
from headway.metrics import Metric, measures
from headway.model import Model
from headway.search import Search, Watch
from headway.training.memory import give_back, rows_that_fit
from headway.training.splitting import in_pieces, too_long_to_answer

T = TypeVar("T")


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

    Raises LackOfMemory for one that does not fit into memory alone.

    budget    padded tokens that go through the model at once; less where memory is short
    others    further models of an ensemble
    """
    pieces: list[list[tuple[Window, Any]]] = [[] for _ in examples]

    def alone(row: int) -> LackOfMemory:
        window = encoded.windows[row]
        return too_long_to_answer(examples[window.example].where, window.stop - window.start)

    for row, raw in _raw_answers(model, codecs, encoded, search, budget, device, others, alone):
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
    alone: Callable[[int], Exception],
) -> Iterator[tuple[int, Any]]:
    """(row, what the task answered), batch by batch, and in smaller pieces where memory is short."""
    training = model.training
    model.eval()
    unlabelled = replace(encoded, targets=[])

    def answered(rows: NDArray[np.int64]) -> list[tuple[int, Any]]:
        batch = unlabelled.batch(rows, codecs.source, model.task).to(device)
        asked, found = _of_rows(search, encoded, codecs, batch.rows), []
        for row, raw, doubt in zip(batch.rows, *model.answer_and_doubt(batch, asked, others), strict=True):
            if doubt:  # a close tie is decided as it is where the row is alone
                single = unlabelled.batch(np.array([row]), codecs.source, model.task).to(device)
                asked = replace(_of_rows(search, encoded, codecs, single.rows), watch=None)
                raw = model.answer(single, asked, others)[0]
            found.append((row, raw))
        if search.watch is not None:
            search.watch(tuple)
        return found

    costs = encoded.sources.lengths.clip(1)
    fits = partial(rows_that_fit, model, device, _side_by_side(search))
    with torch.inference_mode():
        batches = in_order_of_length(costs, budget)
        for found in in_pieces(batches, costs, answered, fits, alone, partial(give_back, device)):
            yield from found
    model.train(training)


def _side_by_side(search: Search) -> int:
    """Sequences that are written for each row."""
    return {"beam": search.beam, "rerank": search.candidates}.get(search.mode, 1)


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

    def loss(batch: Batch) -> tuple[float, float]:
        found = model(batch)
        return float(found.total), found.count

    found = list(_with_targets(model, codecs, encoded, budget, device, loss))
    model.train(training)
    return sum(total for total, _ in found), sum(count for _, count in found)


def scores_of(
    model: Model, decoder: Autoregressive, codecs: Codecs, encoded: Encoded, budget: int, device: torch.device
) -> list[list[float]]:
    """For each row the log probability of every token of its target, END's last."""
    scores: list[list[float]] = [[] for _ in range(len(encoded))]

    def score(batch: Batch) -> None:
        log_p, real = decoder.score(model.encode(batch), batch.target)
        for row, values, counted in zip(batch.rows, log_p, real, strict=True):
            scores[row] = values[counted].tolist()

    for _ in _with_targets(model, codecs, encoded, budget, device, score):
        pass
    return scores


def _with_targets(
    model: Model,
    codecs: Codecs,
    encoded: Encoded,
    budget: int,
    device: torch.device,
    work: Callable[[Batch], T],
) -> Iterator[T]:
    """What `work` gives for batches of rows with their targets, in smaller pieces where memory is short."""

    def alone(row: int) -> LackOfMemory:
        return too_long_to_answer(Where(f"row {row + 1} of the part"), int(encoded.costs[row]))

    def worked(rows: NDArray[np.int64]) -> T:
        return work(encoded.batch(rows, codecs.source, model.task).to(device))

    batches, fits = in_order_of_length(encoded.costs, budget), partial(rows_that_fit, model, device, 1)
    with torch.inference_mode():
        yield from in_pieces(batches, encoded.costs, worked, fits, alone, partial(give_back, device))
