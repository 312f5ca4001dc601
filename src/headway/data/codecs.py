"""Targets as numbers, and answers as words again: fitted on the training part, saved with the model."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.batch import (
    PAD,
    Answer,
    ClassifyAnswer,
    Decision,
    RegressAnswer,
    TagAnswer,
    TransduceAnswer,
)
from headway.data.sources import SourceCodec
from headway.data.tokenizers import Tokenizer
from headway.decoders import TargetSizes
from headway.errors import UsageError
from headway.search import Choice, Hypothesis
from headway.tasks.tag import NOTHING

OF_TOKENS = frozenset({"token", "end", "blank", "node", "accepted", "corrected", "single", "draft", "repeat"})
"""Choices (`search.Choice.what`) whose numbers are tokens; those of others are lengths."""
BLANK = "<blank>"


class TargetCodec:
    """The other side: what is right, as numbers, and what was answered, as words."""

    shares_vocabulary = False
    "Whether the source's tokenizer writes, too, and is fitted on both sides."

    def fit(self, targets: Iterable[Any]) -> None:
        """Choose what there is from the training part, which is gone through once."""
        raise NotImplementedError

    def fit_lengths(self, source: SourceCodec, sources: Sequence[Any], targets: Sequence[Any]) -> None:
        """Learn how long targets are, where that matters."""

    def fit_known_lengths(self, read: NDArray[np.int64], written: NDArray[np.int64]) -> None:
        """`fit_lengths` where the elements of every source and the tokens of every target were counted before."""

    def sizes(self) -> dict[str, Any]:
        """What the task is told about the data."""
        raise NotImplementedError

    def encode_all(self, targets: Sequence[Any]) -> list[Any]:
        """One encoded target each."""
        raise NotImplementedError

    def length(self, target: Any) -> int:
        """Tokens that the model writes for this target; 0 where it writes no sequence."""
        return 0

    def piece(self, target: Any, start: int, stop: int, longest: int) -> Any:
        """What of an encoded target belongs to the elements start … stop of its source."""
        return target

    def answer(self, raw: Any, elements: Sequence[str], scores: bool) -> Answer:
        """What the task answered for one row, in words."""
        raise NotImplementedError

    def join(self, raws: Sequence[tuple[Any, int, int]]) -> Any:
        """The answers of a source's windows as one; of each, the elements from … until count."""
        return raws[0][0]

    def state(self) -> dict[str, Any]:
        """What was fitted, as JSON."""
        raise NotImplementedError


def _weights(raws: Sequence[tuple[Any, int, int]]) -> list[int]:
    """How many elements each window answers for; where there are none at all, every window counts the same."""
    counts = [until - since for _, since, until in raws]
    return counts if any(counts) else [1] * len(counts)


def label_set(target: str | tuple[str, ...]) -> tuple[str, ...]:
    """The label or labels of a row."""
    return (target,) if isinstance(target, str) else target


class Labels(TargetCodec):
    """Labels as numbers, in the order of their frequency."""

    def __init__(self, state: Mapping[str, Any] | None = None):
        self._use(**state) if state else self._use([], [], 0)

    def _use(self, labels: Sequence[str], counts: Sequence[int], rows: int, **_: Any) -> None:
        self.labels, self.counts, self.rows = tuple(labels), tuple(counts), rows
        self._numbers = {label: number for number, label in enumerate(self.labels)}

    def fit(self, targets: Iterable[tuple[str, ...]]) -> None:
        counts, rows = Counter[str](), 0
        for target in targets:
            counts.update(target)
            rows += 1
        if not counts:
            raise UsageError("there is nothing to learn: no row of the training part has a label")
        ordered = sorted(counts, key=lambda label: (-counts[label], label))
        self._use(ordered, [counts[label] for label in ordered], rows)

    def unknown(self, target: tuple[str, ...]) -> list[str]:
        """The labels that training never saw."""
        return [label for label in target if label not in self._numbers]

    def encode_all(self, targets: Sequence[tuple[str, ...]]) -> list[NDArray[np.int32]]:
        """The numbers of the labels; one that training never saw is not counted in a loss."""
        return [np.array([self._numbers.get(label, NOTHING) for label in target], np.int32) for target in targets]

    def state(self) -> dict[str, Any]:
        return {"labels": self.labels, "counts": self.counts, "rows": self.rows}


class Tags(Labels):
    """A label for every element."""

    def sizes(self) -> dict[str, Any]:
        return {"labels": len(self.labels), "bio": self.is_bio}

    @property
    def is_bio(self) -> bool:
        """Whether the labels mark the beginning and inside of spans: B-PER, I-PER, O."""
        spans = [label for label in self.labels if label != "O"]
        marks = {label.split("-")[0] for label in spans if "-" in label}
        return "O" in self._numbers and "B" in marks and marks <= set("BIES") and all("-" in span for span in spans)

    def piece(self, target: NDArray, start: int, stop: int, longest: int) -> NDArray:
        return target[start:stop]

    def join(self, raws: Sequence[tuple[tuple[NDArray, NDArray], int, int]]) -> tuple[NDArray, NDArray]:
        """Side by side."""
        numbers, probabilities = zip(*((raw[0][a:b], raw[1][a:b]) for raw, a, b in raws), strict=True)
        return np.concatenate(numbers), np.concatenate(probabilities)

    def answer(self, raw: tuple[NDArray, NDArray], elements: Sequence[str], scores: bool) -> TagAnswer:
        numbers, probability = raw
        names = tuple(self.labels[number] for number in numbers.tolist())
        return TagAnswer(tuple(elements[: len(names)]), names, tuple(probability.tolist()) if scores else None)


class Classes(Labels):
    """A label for the whole, or several."""

    def __init__(self, several: bool, state: Mapping[str, Any] | None = None):
        super().__init__(state)
        self.several = several

    def fit(self, targets: Iterable[str | tuple[str, ...]]) -> None:
        super().fit(map(label_set, targets))

    def unknown(self, target: str | tuple[str, ...]) -> list[str]:
        return super().unknown(label_set(target))

    def encode_all(self, targets: Sequence[str | tuple[str, ...]]) -> list[NDArray[np.int32]]:
        return super().encode_all([label_set(target) for target in targets])

    def sizes(self) -> dict[str, Any]:
        return {"counts": self.counts, "rows": self.rows, "several": self.several}

    def join(self, raws: Sequence[tuple[NDArray, int, int]]) -> NDArray:
        """The mean, each window weighted by the elements it answers for."""
        return np.average([raw for raw, _, _ in raws], axis=0, weights=_weights(raws))

    def answer(self, raw: NDArray, elements: Sequence[str], scores: bool) -> ClassifyAnswer:
        order = np.argsort(-raw, kind="stable").tolist()
        chosen = [number for number in order if raw[number] > 0.5] if self.several else order[:1]
        score = float(min((raw[number] for number in chosen), default=1 - raw.max()))
        table = {self.labels[number]: float(raw[number]) for number in order} if scores else None
        return ClassifyAnswer(tuple(self.labels[number] for number in chosen), score, table)

    def state(self) -> dict[str, Any]:
        return super().state() | {"several": self.several}


class Numbers(TargetCodec):
    """A number; its mean and spread in the training part are the unit of learning."""

    def __init__(self, state: Mapping[str, Any] | None = None):
        self.mean, self.spread = (state["mean"], state["spread"]) if state else (0.0, 1.0)

    def fit(self, targets: Iterable[float]) -> None:
        values = np.fromiter(targets, np.float64)
        self.mean, self.spread = float(np.mean(values)), float(np.std(values))

    def sizes(self) -> dict[str, Any]:
        return {"mean": self.mean, "spread": self.spread}

    def encode_all(self, targets: Sequence[float]) -> list[float]:
        return list(targets)

    def join(self, raws: Sequence[tuple[float, int, int]]) -> float:
        """The mean, each window weighted by the elements it answers for."""
        return float(np.average([raw for raw, _, _ in raws], weights=_weights(raws)))

    def answer(self, raw: float, elements: Sequence[str], scores: bool) -> RegressAnswer:
        return RegressAnswer(raw)

    def state(self) -> dict[str, Any]:
        return {"mean": self.mean, "spread": self.spread}


class Sequences(TargetCodec):
    """A new sequence. With a shared vocabulary the source's tokenizer writes, too, and is fitted there."""

    def __init__(
        self, tokenizer: Tokenizer, shared: bool, metrics: Sequence[str], state: Mapping[str, Any] | None = None
    ):
        self.tokenizer, self.shares_vocabulary, self.metrics = tokenizer, shared, tuple(metrics)
        self.ratio, self.extra = (state["ratio"], state["extra"]) if state else (1.0, 10)

    def fit(self, targets: Iterable[str]) -> None:
        if not self.shares_vocabulary:
            self.tokenizer.fit(targets)

    def fit_lengths(self, source: SourceCodec, sources: Sequence[Any], targets: Sequence[str]) -> None:
        read, written = source.lengths(sources), [len(row) for row in self.encode_all(targets)]
        self.fit_known_lengths(np.array(read, np.int64), np.array(written, np.int64))

    def fit_known_lengths(self, read: NDArray[np.int64], written: NDArray[np.int64]) -> None:
        """A line above every length of the training part: after so many tokens writing stops even without END."""
        self.ratio = max(1.0, float(np.quantile(written / np.maximum(read, 1), 0.999)))
        over = float((written - self.ratio * read).max(initial=0.0))
        self.extra = 5 + min(math.ceil(over), int(written.max(initial=0)))

    def sizes(self) -> dict[str, Any]:
        sizes = TargetSizes(len(self.tokenizer), self.ratio, self.extra, self.shares_vocabulary)
        return {"sizes": sizes, "metrics": self.metrics}

    def encode_all(self, targets: Sequence[str]) -> list[NDArray[np.int32]]:
        """The numbers of the tokens, without BEGIN and END."""
        return self.tokenizer.encode_all(targets)

    def length(self, target: NDArray) -> int:
        return len(target)

    def piece(self, target: NDArray, start: int, stop: int, longest: int) -> NDArray:
        return target[:longest]

    def answer(self, raw: Sequence[Hypothesis], elements: Sequence[str], scores: bool) -> TransduceAnswer:
        best, *others = [self._one(hypothesis, scores) for hypothesis in raw]
        return replace(best, alternatives=tuple(others))

    def _one(self, found: Hypothesis, scores: bool) -> TransduceAnswer:
        pieces = self.tokenizer.pieces(found.tokens)
        text, score = self.tokenizer.decode(found.tokens), found.score if scores else None
        trace = None if found.trace is None else tuple(map(self._decision, found.trace))
        return TransduceAnswer(text, pieces, score, alignment=found.alignment, calls=found.calls, trace=trace)

    def _decision(self, choice: Choice) -> Decision:
        """A choice in words: tokens as pieces, PAD as the blank that it is there, anything else as its number."""

        def named(number: int) -> str | int:
            if choice.what not in OF_TOKENS:
                return number
            return BLANK if number == PAD else self.tokenizer.pieces([number])[0]

        others = tuple((named(number), log_p) for number, log_p in choice.others)
        return Decision(choice.what, choice.where, named(choice.taken), choice.log_p, others, choice.call)

    def state(self) -> dict[str, Any]:
        own = {} if self.shares_vocabulary else {"tokenizer": self.tokenizer.state()}
        return own | {"ratio": self.ratio, "extra": self.extra, "metrics": self.metrics}
