"""What stands behind the elements of an input that is no text: a spectrogram below its frames, a graph drawn as one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.data.sources import SourceCodec
from headway.data.sources.graph import SourceGraph
from headway.data.sources.sound import SourceSound

ROUNDS = 200
"""Moves of every node of a drawing."""
LARGEST = 400
"""Nodes that are moved; those of a larger graph stay on a circle, for every move takes their square."""
SPREAD = 2.5
"""Standard deviations of loudness between black and white, on either side of the mean."""


@dataclass(frozen=True, slots=True)
class Spectrogram:
    """How loud a sound is by time and pitch: (frames, bands) from 0 to 1, the lowest pitch first; seconds in all."""

    values: NDArray[np.float32]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """As plain values, which `read` reads."""
        values = self.values.astype(np.float64).round(2).tolist()
        return {"kind": "spectrogram", "seconds": self.seconds, "values": values}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Spectrogram":
        """The spectrogram that `as_json` told."""
        return cls(np.array(told["values"], np.float32), told["seconds"])


@dataclass(frozen=True, slots=True)
class Drawing:
    """A graph in the plane: (N, 2) places from 0 to 1, the two ends of every edge, whether edges lead one way."""

    places: NDArray[np.float32]
    edges: tuple[tuple[int, int], ...]
    directed: bool = False

    def as_json(self) -> dict[str, Any]:
        """As plain values, which `read` reads."""
        places = self.places.astype(np.float64).round(4).tolist()
        return {"kind": "graph", "places": places, "edges": [list(e) for e in self.edges], "directed": self.directed}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Drawing":
        """The drawing that `as_json` told."""
        places = np.array(told["places"], np.float32).reshape(-1, 2)
        return cls(places, tuple((i, j) for i, j in told["edges"]), told["directed"])


Scene = Spectrogram | Drawing


def scene_of(codec: SourceCodec, row: Any) -> Scene | None:
    """What stands behind a row that the codec encoded; None behind text and vectors."""
    if isinstance(codec, SourceSound):
        frames = np.asarray(row, np.float32).reshape(-1, row.shape[-1])
        loud = (frames - frames.mean()) / max(float(frames.std()), 1e-6)
        values = ((loud + SPREAD) / (2 * SPREAD)).clip(0, 1)
        return Spectrogram(values.astype(np.float32), len(frames) * codec.hop / codec.settings.rate)
    if isinstance(codec, SourceGraph):
        edges = tuple((int(i), int(j)) for i, j in row.pairs)
        return Drawing(laid_out(len(row), row.pairs), edges, codec.directed)
    return None


def laid_out(nodes: int, pairs: NDArray[np.int32]) -> NDArray[np.float32]:
    """(N, 2) from 0 to 1: neighbours near each other, others apart (Fruchterman & Reingold 1991).

    It begins on a circle, and nothing is drawn by chance: one graph has one picture.
    """
    angle = 2 * np.pi * np.arange(nodes) / max(nodes, 1)
    at = np.stack([np.cos(angle), np.sin(angle)], 1)
    at *= 1 + 0.01 * np.arange(nodes)[:, None] / max(nodes, 1)  # what lies alike would move alike for ever
    if 2 < nodes <= LARGEST:
        near = np.zeros((nodes, nodes), bool)
        near[pairs[:, 0], pairs[:, 1]] = near[pairs[:, 1], pairs[:, 0]] = True
        ideal = (4 / nodes) ** 0.5
        for warmth in np.linspace(0.3, 0.005, ROUNDS):
            apart = at[:, None] - at[None]
            distance = np.maximum(np.linalg.norm(apart, axis=-1), 1e-3)
            force = ideal**2 / distance**2 - near * distance / ideal
            move = (apart * force[..., None]).sum(1) - 0.3 * at  # parts that no edge joins do not drift away
            length = np.maximum(np.linalg.norm(move, axis=-1, keepdims=True), 1e-9)
            at = at + move / length * np.minimum(length, warmth)
    low, high = at.min(0, initial=0), at.max(0, initial=0)
    return ((at - low) / np.maximum(high - low, 1e-9) if nodes > 1 else np.full((nodes, 2), 0.5)).astype(np.float32)
