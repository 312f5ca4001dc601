"""How much each element added to an output: what stands beside attention, which shows no influence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Attribution:
    """What each element of the input added to one output.

    of          the output that is explained, in words
    method      how it was computed
    elements    of the input
    values      for each element what it added; together output - baseline
    baseline    the output where nothing is known of the input
    output      the output itself
    """

    of: str
    method: str
    elements: tuple[str, ...]
    values: tuple[float, ...]
    baseline: float
    output: float

    @property
    def gap(self) -> float:
        """How far the sum is from the difference of the outputs that it should be (completeness)."""
        return abs(sum(self.values) - (self.output - self.baseline))

    def as_json(self) -> dict[str, Any]:
        """As plain values, which `read` reads."""
        return {
            "of": self.of,
            "method": self.method,
            "elements": list(self.elements),
            "values": list(self.values),
            "baseline": self.baseline,
            "output": self.output,
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Attribution":
        """The attribution that `as_json` told."""
        return cls(**{**told, "elements": tuple(told["elements"]), "values": tuple(told["values"])})
