"""What heads do over a whole data set: the share of their attention that goes to places with a meaning.

Heads that look at the previous token, at the start, or at one aligned word were described in trained Transformers by
Voita et al. 2019 and Clark et al. 2019. Beside each share stands what a head would give that looked everywhere alike,
since in a short sequence that is much, too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headway.inspection.maps import AttentionMap

OF_ONE = {
    "itself": "at itself",
    "previous": "at the previous element",
    "next": "at the next element",
    "start": "at the start",
    "end": "at the end",
    "same": "at the same element elsewhere",
}
"""Places in a sequence that looks at itself, in words."""
OF_TWO = {
    "same": "at the element that is written",
    "diagonal": "along the diagonal",
    "start": "at the start",
    "end": "at the end",
}
"""Places in an input that what is written looks at."""
CLEAR, TIMES = 0.4, 2.0
"""A head has a role whose share is at least this, and so many times what looking everywhere alike would give."""
FLAT = 0.97
"""A head whose entropy is at least this share of the largest looks everywhere alike."""


@dataclass(frozen=True)
class Head:
    """One head over a data set.

    shares      by place, the mean over those who have such a place
    even        the same for a head that looks everywhere alike
    entropy     of its weights as a share of the largest there could be: 0 at one place, 1 everywhere alike
    distance    how many elements away it looks, on average; of two sequences, from the diagonal; None without order
    """

    part: str
    layer: int
    head: int
    shares: dict[str, float]
    even: dict[str, float]
    entropy: float
    distance: float | None

    @property
    def role(self) -> str | None:
        """The place that it looks at most clearly; None where there is none."""
        clear = [p for p, s in self.shares.items() if s >= CLEAR and s >= TIMES * self.even[p]]
        return max(clear, key=lambda place: self.shares[place] - self.even[place], default=None)

    @property
    def told(self) -> str:
        """What it does, in words."""
        name = f"{self.part} layer {self.layer} head {self.head}"
        if self.role is not None:
            where = (OF_TWO if self.part == "cross" else OF_ONE)[self.role]
            return f"{name} looks {where}: {self.shares[self.role]:.2f} (evenly it would be {self.even[self.role]:.2f})"
        if self.entropy >= FLAT:
            return f"{name} looks everywhere alike"
        return f"{name} has no one place"

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"role": self.role, "told": self.told}


def averaged(part: str, maps: Iterable[AttentionMap], ordered: bool = True) -> list[Head]:
    """Every head of a part, those with a role first, the clearest of them at the top; none where there are no maps.

    ordered    whether the elements stand in an order: the nodes of a graph do not
    """
    sums = _Sums()
    shown: AttentionMap | None = None
    for one in maps:
        if one.weights.shape[2] and one.weights.shape[3]:
            shown = one
            sums.add(part, one, ordered)
    if shown is None:
        return []
    heads = []
    for i, layer in enumerate(shown.layers):
        for j, head in enumerate(shown.heads):
            shares = {place: float(table[i, j]) for place, table in sums.shares().items()}
            distance = float(sums.mean("distance")[i, j]) if ordered else None
            heads.append(Head(part, layer, head, shares, sums.even(), float(sums.mean("entropy")[i, j]), distance))
    return sorted(heads, key=_order)


def _order(head: Head) -> tuple[bool, float, int, int]:
    role = head.role
    clear = 0.0 if role is None else head.shares[role] - head.even[role]
    return role is None, -clear, head.layer, head.head


@dataclass
class _Sums:
    """Amounts (layers, heads) and how many rows they are of, by name."""

    amounts: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    evenly: dict[str, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def add(self, part: str, one: AttentionMap, ordered: bool) -> None:
        """Every row of one input."""
        weights = one.weights.astype(np.float64)
        total = weights.sum(-1, keepdims=True)
        weights = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        T, S = weights.shape[2:]
        allowed = np.tri(T, S, dtype=bool) if part == "decoder" else np.ones((T, S), bool)
        even = allowed / allowed.sum(-1, keepdims=True)
        for name, places in _places(part, one, allowed, ordered):
            some = places.any(-1)
            self._more(name, (weights * places).sum(-1)[..., some], float((even * places).sum(-1)[some].sum()))
        room = np.log(allowed.sum(-1))
        logs = np.log(weights, out=np.zeros_like(weights), where=weights > 0)
        several = room > 0
        self._more("entropy", -(weights * logs).sum(-1)[..., several] / room[several], 0.0)
        self._more("distance", (weights * _distances(part, T, S)).sum(-1), 0.0)

    def _more(self, name: str, rows: NDArray[np.float64], evenly: float) -> None:
        """rows (L, H, some)"""
        self.amounts[name] = self.amounts.get(name, np.zeros(rows.shape[:2])) + rows.sum(-1)
        self.evenly[name] = self.evenly.get(name, 0.0) + evenly
        self.rows[name] = self.rows.get(name, 0) + rows.shape[-1]

    def mean(self, name: str) -> NDArray[np.float64]:
        return self.amounts[name] / max(1, self.rows[name])

    def shares(self) -> dict[str, NDArray[np.float64]]:
        return {
            name: self.mean(name) for name in self.amounts if self.rows[name] and name not in ("entropy", "distance")
        }

    def even(self) -> dict[str, float]:
        return {name: self.evenly[name] / self.rows[name] for name in self.shares()}


def _places(
    part: str, one: AttentionMap, allowed: NDArray[np.bool_], ordered: bool
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """(place, (T, S) where it is for each row), of what may be looked at."""
    T, S = allowed.shape
    i, j = np.arange(T)[:, None], np.arange(S)[None]
    asked = np.array(one.asked, dtype=object)
    if part == "cross":
        yield "same", np.array(one.asking, dtype=object)[:, None] == asked[None]
        if ordered:
            yield "diagonal", _distances(part, T, S) <= 1
    else:
        yield "itself", i == j
        yield "same", (asked[:T, None] == asked[None]) & (i != j) & allowed
    if not ordered:
        return
    if part != "cross":
        yield "previous", i == j + 1
    if part == "encoder":
        yield "next", i == j - 1
    yield "start", (j == 0) & allowed
    if part != "decoder":
        yield "end", (j == S - 1) & allowed


def _distances(part: str, T: int, S: int) -> NDArray[np.float64]:
    """(T, S) from oneself; between two sequences, from the diagonal that joins their ends."""
    own = np.arange(T, dtype=np.float64)
    if part == "cross":
        own *= (S - 1) / max(T - 1, 1)
    return np.abs(own[:, None] - np.arange(S)[None])


def sentences(heads: Sequence[Head], most: int = 8) -> list[str]:
    """What the heads with a role do, the clearest first, and how many have none."""
    told = [head.told for head in heads if head.role is not None][:most]
    others = sum(head.role is None for head in heads)
    even = sum(head.role is None and head.entropy >= FLAT for head in heads)
    if others:
        told.append(
            f"{others} of {len(heads)} heads have no one place" + (f", {even} look everywhere alike" if even else "")
        )
    return told
