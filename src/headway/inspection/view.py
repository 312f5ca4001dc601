"""One look at one input as plain data: the answer, and how much each element took of each other on the way to it.

A terminal, a notebook, a file and a page of a server draw this value and nothing else, so that all of them show the
same. Attention alone is no explanation (Jain & Wallace 2019): it says what a layer took from where, and not what would
have been answered without; `NOTE` says so wherever a view is shown.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.batch import Answer, ClassifyAnswer, Decision, RegressAnswer, TagAnswer, TransduceAnswer
from headway.errors import UsageError, unknown
from headway.inspection.attributions import Attribution
from headway.inspection.maps import PARTS, AttentionMap
from headway.inspection.scenes import Drawing, Scene, Spectrogram
from headway.report.scale import shades_of

NOTE = (
    "Attention alone is not an explanation: it shows how much each layer took from where, and not what the answer "
    "would have been without it. Attributions show what the output follows, and a knockout shows what is missed."
)
DIGITS = 6
"""Decimals of a weight: half a millionth is its largest error."""
TOLD = {
    "encoder": "the input looks at itself",
    "decoder": "what is written looks at what was written",
    "cross": "what is written looks at the input",
}
_ANSWERS = {
    "tag": (TagAnswer, ("elements", "labels", "scores")),
    "classify": (ClassifyAnswer, ("labels", "score", "scores")),
    "regress": (RegressAnswer, ("value",)),
    "transduce": (TransduceAnswer, ("text", "tokens", "score", "calls")),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """One heat map of a view: what every place draws.

    title      which part, layer and head, in words
    rows       (T) who looks
    columns    (S) what is looked at
    values     (T, S) weights
    """

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: NDArray[np.float64]

    def shades(self) -> list[list[int]]:
        """(T, S) from 0 (nothing) to 7 (the largest of the picture)."""
        return shades_of(self.values.tolist())

    def row(self, number: int | None = None) -> NDArray[np.float64]:
        """(S) what one row took of each column; the mean of all rows where none is named."""
        if number is not None:
            return self.values[number]
        return np.add.reduce(self.values, 0) / max(len(self.values), 1)

    def row_shades(self, number: int | None = None) -> list[int]:
        """(S) one row by itself: 7 is the largest of the row."""
        return shades_of([self.row(number).tolist()])[0]

    def best(self, number: int | None = None, most: int = 3) -> list[tuple[int, float]]:
        """The columns that a row, or all together, looked at most, with their weights; of equal ones the first."""
        row = self.row(number)
        order = np.argsort(-row, kind="stable")[:most].tolist()
        return [(column, float(row[column])) for column in order if row[column] > 0]

    def told(self, number: int | None = None, most: int = 3) -> str:
        """The same in words."""
        return ", ".join(f"{self.columns[column]} {three(weight)}" for column, weight in self.best(number, most))


@dataclass(frozen=True)
class View:
    """What a model answered for one input, and where it looked.

    task            tag, classify, regress or transduce
    kind            what went in: text, sound, graph or vectors
    source          the input, as a person reads it
    answer          what was answered
    maps            attention by part: encoder, decoder, cross; those that the model has
    missing         for each other part why it has none
    scene           what stands behind the elements: a spectrogram, a drawing of a graph
    attributions    how much each element added to an output, where that was asked for
    """

    task: str
    kind: str
    source: str
    answer: Answer
    maps: Mapping[str, AttentionMap]
    missing: Mapping[str, str] = field(default_factory=dict)
    scene: Scene | None = None
    attributions: tuple[Attribution, ...] = ()

    # ------------------------------------------------------------------------------------------------- what is drawn

    @property
    def part(self) -> str:
        """The part that is shown where none is chosen: what is written looks at the input, or the input at itself."""
        return "cross" if "cross" in self.maps else next(iter(self.maps), "encoder")

    @property
    def trace(self) -> tuple[Decision, ...]:
        """Why a new sequence was written so, decision by decision."""
        return (isinstance(self.answer, TransduceAnswer) and self.answer.trace) or ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """What was answered, piece by piece: labels, the label or number, the tokens."""
        if isinstance(self.answer, TagAnswer):
            return self.answer.labels
        return self.answer.tokens if isinstance(self.answer, TransduceAnswer) else (str(self.answer),)

    def picture(self, part: str | None = None, layer: int | None = None, head: int | None = None) -> Picture:
        """The heat map of a head of a layer; the mean of all heads, and the last layer, where none is named.

        Raises UsageError for a part, layer or head that is not there.
        """
        part = self.part if part is None else part
        found = self._map(part)
        layer = found.layers[-1] if layer is None else layer
        table = rounded(found.weights[_place("layer", layer, found.layers)])
        chosen = np.add.reduce(table, 0) / len(table) if head is None else table[_place("head", head, found.heads)]
        heads = f"mean of {len(found.heads)} heads" if head is None else f"head {head}"
        title = f"{part}, layer {layer}, {heads}: {TOLD[part]}"
        return Picture(title, found.asking, found.asked, chosen)

    def _map(self, part: str) -> AttentionMap:
        if part in self.maps:
            return self.maps[part]
        if part in self.missing:
            raise UsageError(self.missing[part])
        raise UsageError(unknown("part of the model", part, PARTS))

    def only(self, part: str | None = None, layer: int | None = None, head: int | None = None) -> "View":
        """The same with fewer weights: of one part, layer, head; all where none is named.

        Raises UsageError where that is not there.
        """
        if part is not None:
            self._map(part)
        maps: dict[str, AttentionMap] = {}
        missing = dict(self.missing)
        for name, found in self.maps.items():
            if part not in (None, name):
                missing[name] = f"part {name} was left out: this view is of part {part}"
            elif layer is not None and layer not in found.layers and part is None and len(self.maps) > 1:
                missing[name] = f"part {name} has no layer {layer}"
            else:
                maps[name] = _narrowed(found, layer, head)
        return replace(self, maps=maps, missing=missing)

    def html(self) -> str:
        """All of it as one page that needs no network. Raises UsageError for one that is too large for a browser."""
        from headway.inspection.page import page

        return page(self)

    @property
    def size(self) -> int:
        """Weights in all."""
        return sum(found.weights.size for found in self.maps.values())

    def _repr_html_(self) -> str:
        """The page in a frame, which notebooks show."""
        from headway.inspection.page import framed

        return framed(self)

    def figure(self, part: str | None = None, layer: int | None = None, head: int | None = None) -> Any:
        """The heat map as a figure of matplotlib. Raises UsageError where that is not installed."""
        from headway.inspection.figure import figure

        return figure(self, part, layer, head)

    # ------------------------------------------------------------------------------------------------- as plain data

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values, which `View.read` reads: what a server answers and a page draws.

        format         1
        task, input    which question; text, sound, graph or vectors
        source         the input as a person reads it
        answer         tag: {elements, labels}; classify: {labels, score, scores}; regress: {value};
                       transduce: {text, tokens, score, calls}
        outputs        the answer piece by piece
        part           which of the maps is shown first
        maps           one each of: {part, told, layers, heads, asking, asked, weights}, where `weights` is a list of
                       layers of heads of rows (one for each of `asking`) of numbers (one for each of `asked`)
        missing        {part: why it has none}
        trace          one each of: {what, where, taken, log_p, others: [[piece, log_p]], call}; empty without one
        scene          null, {kind: "spectrogram", seconds, values: frames of bands from 0 to 1}, or
                       {kind: "graph", places: [[x, y]] from 0 to 1, edges: [[i, j]], directed}
        attributions   one each of: {of, method, elements, values, baseline, output}
        note           the sentence that belongs beside every picture of attention
        """
        _, names = _ANSWERS[self.task]
        told = {name: getattr(self.answer, name) for name in names if getattr(self.answer, name) is not None}
        return {
            "format": 1,
            "task": self.task,
            "input": self.kind,
            "source": self.source,
            "answer": {name: _plain(value) for name, value in told.items()},
            "outputs": list(self.outputs),
            "part": self.part,
            "maps": [_told_map(part, found) for part, found in self.maps.items()],
            "missing": dict(self.missing),
            "trace": [_plain(asdict(decision)) for decision in self.trace],
            "scene": None if self.scene is None else self.scene.as_json(),
            "attributions": [each.as_json() for each in self.attributions],
            "note": NOTE,
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "View":
        """The view that `as_json` told."""
        kind, _ = _ANSWERS[told["task"]]
        given = {name: tuple(v) if isinstance(v, list) else v for name, v in told["answer"].items()}
        answer: Any = kind(**given)
        if told["trace"]:
            answer = replace(answer, trace=tuple(map(_decision, told["trace"])))
        scene = told["scene"]
        if scene is not None:
            scene = (Spectrogram if scene["kind"] == "spectrogram" else Drawing).read(scene)
        maps = {each["part"]: _map_of(each) for each in told["maps"]}
        attributions = tuple(map(Attribution.read, told["attributions"]))
        names = told["task"], told["input"], told["source"]
        return cls(*names, answer, maps, told["missing"], scene, attributions)


def three(weight: float) -> str:
    """A weight with three decimals, halves rounded up, as the script of the page does it."""
    return f"{math.floor(1000 * weight + 0.5) / 1000:.3f}"


def rounded(weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """As they are told, so that what is drawn of the told ones is drawn of these."""
    return weights.astype(np.float64).round(DIGITS)


def _told_map(part: str, found: AttentionMap) -> dict[str, Any]:
    axes = {name: list(getattr(found, name)) for name in ("layers", "heads", "asking", "asked")}
    return {
        "part": part,
        "told": TOLD[part],
        **axes,
        "weights": found.weights.astype(np.float64).round(DIGITS).tolist(),
    }


def _map_of(told: Mapping[str, Any]) -> AttentionMap:
    shape = [len(told[name]) for name in ("layers", "heads", "asking", "asked")]
    asking, asked, layers, heads = (tuple(told[name]) for name in ("asking", "asked", "layers", "heads"))
    return AttentionMap(np.array(told["weights"], np.float32).reshape(shape), asking, asked, layers, heads)


def _decision(told: Mapping[str, Any]) -> Decision:
    others = tuple((piece, log_p) for piece, log_p in told["others"])
    return Decision(**{**told, "others": others})


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (tuple, list)) else value


def _narrowed(found: AttentionMap, layer: int | None, head: int | None) -> AttentionMap:
    """One layer and one head of a map, or all."""
    weights, layers, heads = found.weights, found.layers, found.heads
    if layer is not None:
        place = _place("layer", layer, layers)
        weights, layers = weights[place : place + 1], (layer,)
    if head is not None:
        place = _place("head", head, heads)
        weights, heads = weights[:, place : place + 1], (head,)
    return replace(found, weights=weights, layers=layers, heads=heads)


def _place(what: str, number: int, there: Sequence[int]) -> int:
    if number not in there:
        raise UsageError(f"there is no {what} {number} in this view: it has {', '.join(map(str, there))}")
    return there.index(number)
