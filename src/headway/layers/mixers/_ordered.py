"""Mixers that take the elements in their order and compare none: what they have in common."""

from torch import Tensor

from headway.errors import UsageError
from headway.layers.cache import Past
from headway.layers.mixers import Look, Mixer


class Ordered(Mixer):
    """A mixer without queries and keys: it knows the order by itself, and padding, which stands behind the elements.

    causal    whether a position takes from itself and earlier ones only; otherwise from both sides
    reach     how many of the last positions a step has to know
    """

    compares = False
    reach = 1

    def __init__(self, causal: bool):
        super().__init__()
        self.causal = causal

    def forward(self, x: Tensor, look: Look, state: Past | None = None, memory: Tensor | None = None) -> Tensor:
        """(B, T, D) -> (B, T, D). Raises UsageError for a rule that only a mixer with queries and keys can keep."""
        mask = look.mask
        asked = {
            "a mask of edges": mask.edges,
            "a reach": mask.reach,
            "a bias on scores": look.bias,
            "another sequence to look at": memory,
            "a mask that hides the future, being built to see it": True if mask.causal and not self.causal else None,
        }
        for rule, given in asked.items():
            if given is not None:
                name = type(self).__module__.rpartition(".")[2]
                raise UsageError(f"the mixer {name} cannot keep to {rule}; the mixer attention can")
        return self.read(x, mask.keys, state) if x.shape[1] else x

    def read(self, x: Tensor, keys: Tensor | None, state: Past | None) -> Tensor:
        """(B, T, D) -> (B, T, D), T ≥ 1; keys (B, T) which are real. With a state, x follows what is in it."""
        raise NotImplementedError

    def start(self, cross: bool) -> Past:
        return Past(self.reach)
