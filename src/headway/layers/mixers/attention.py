"""Multi-head attention (Vaswani et al. 2017, section 3.2): every position looks at every other that the mask allows.

Cross-attention has no `window` and gets no positions: those of two sequences have no distance.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated, Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from headway.errors import UsageError
from headway.kernels.attention import Request, attention
from headway.kernels.attention.definition import weighted
from headway.kernels.heads import merge, split
from headway.kernels.linear import linear
from headway.layers.cache import Fixed, KeyValues
from headway.layers.mixers import Look, Mixer
from headway.layers.mixers._knocked import Knocked
from headway.normalizers import NORMALIZERS
from headway.scores import SCORES
from headway.settings import Branch, Count, Rate


class Settings(Branch):
    heads: Count = 4
    "Attentions side by side; the width is divided among them."
    score: Annotated[Branch, SCORES] = SCORES.default("scaled_dot")
    "How alike are a query and a key?"
    normalizer: Annotated[Branch, NORMALIZERS] = NORMALIZERS.default("softmax")
    "How do scores become weights?"
    dropout: Rate | None = None
    "Share of the attention weights that is dropped in training; the encoder's dropout where none is given."
    engine: str = "auto"
    "Which engine computes it; auto takes the fastest that can."
    gate: Literal["none", "head", "element"] = "none"
    "What each position can close, by a sigmoid of its own vector: nothing, each head, or each number of each head."
    window: Count | None = None
    "How far a position sees in its own sequence, to either side; everything where none is given."


class Attention(Mixer):
    """q, k and v by three learned matrices, scores, weights, weighted sum, gate (Qiu et al. 2025), output matrix."""

    def __init__(self, settings: Settings, width: int, rate: float, causal: bool = False):
        super().__init__()
        heads = settings.heads
        if width % heads:
            raise UsageError(f"attention divides the width among its heads, and {width} is not a multiple of {heads}")
        self.heads, self.head_size, self.engine = heads, width // heads, settings.engine
        self.window = settings.window
        self.rate = rate if settings.dropout is None else settings.dropout
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.output = nn.Linear(width, width)
        self.score = SCORES.build(settings.score, heads, self.head_size)
        self.normalizer = NORMALIZERS.build(settings.normalizer, heads, self.head_size)
        gates = {"none": 0, "head": heads, "element": width}[settings.gate]
        self.gate = nn.Linear(width, gates, bias=False) if gates else None
        self.knocked: Knocked | None = None
        for layer in (self.query, self.key, self.value):  # Xavier for the three as one matrix, as torch does
            bound = math.sqrt(6 / (4 * width))
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.output.bias)

    def forward(
        self, x: Tensor, look: Look, state: KeyValues | Fixed | None = None, memory: Tensor | None = None
    ) -> Tensor:
        request = self.request(x, look, state, memory)
        output = attention(request, self.engine)
        if self.knocked is not None:
            output = self.knocked(output, request)
        output = merge(output)
        if self.gate is not None:
            share = linear(x, self.gate.weight).sigmoid()  # (B, T, H or D) how far each gate is open
            output = (output.unflatten(-1, (share.shape[-1], -1)) * share[..., None]).flatten(-2)
        return linear(output, self.output.weight, self.output.bias)

    def request(
        self, x: Tensor, look: Look, state: KeyValues | Fixed | None = None, memory: Tensor | None = None
    ) -> Request:
        """The attention to compute: what the engines are given, and what inspection recomputes with all weights."""
        if memory is None:
            q, k, v = self._together(x, self.query, self.key, self.value)
            k = self.score.keys(k)
        else:
            (q,) = self._together(x, self.query)
            if isinstance(state, Fixed) and state.keys is not None and state.values is not None:
                k, v = state.keys, state.values
            else:
                k, v = self._together(memory, self.key, self.value)
                k = self.score.keys(k)
        q = self.score.queries(q)
        if look.position is not None:
            q, k = look.position.turn(q, look.offset), look.position.turn(k, look.offset)
        if isinstance(state, KeyValues):
            k, v = state.append(k, v)
        elif isinstance(state, Fixed) and state.keys is None:
            state.keys, state.values = k, v = k.contiguous(), v.contiguous()
        rate = self.rate if self.training else 0.0
        mask = look.mask if self.window is None or memory is not None else look.mask.within(self.window)
        return Request(q, k, v, mask, look.bias, self.score, self.normalizer, rate)

    def _together(self, x: Tensor, *layers: nn.Linear) -> list[Tensor]:
        """x through several matrices in one product, each result split into heads: (B, H, T, K)."""
        weight, bias = layers[0].weight, layers[0].bias
        if len(layers) > 1:
            weight = torch.cat([layer.weight for layer in layers])
            bias = torch.cat([layer.bias for layer in layers])
        return split(linear(x, weight, bias), len(layers), self.heads)

    def start(self, cross: bool) -> KeyValues | Fixed:
        return Fixed() if cross else KeyValues()


Given = tuple[Tensor, Look, Tensor | None]
"""What a layer is given: (B, T, D) vectors, how they may look, (B, S, D) what they look at; None for themselves."""
Seen = TypeVar("Seen")


def observed(layers: Sequence[Attention]) -> AbstractContextManager[list[list[Tensor]]]:
    """The attention weights (B, H, T, S) of some layers for every forward inside, in the order of the calls.

    They are recomputed by the definition from what the layer was given, so they are exact whichever engine runs; the
    model itself is not changed. Works on whole sequences in evaluation mode, not on steps with a state.
    """
    return watched(layers, lambda layer, x, look, memory: weighted(layer.request(x, look, None, memory))[1])


def given_to(layers: Sequence[Attention]) -> AbstractContextManager[list[list[Given]]]:
    """What some layers are given in every forward inside, in the order of the calls."""
    return watched(layers, lambda layer, *given: given)


@contextmanager
def watched(
    layers: Sequence[Attention], see: Callable[[Attention, Tensor, Look, Tensor | None], Seen]
) -> Iterator[list[list[Seen]]]:
    """What `see` makes of each layer and what it is given, for every forward inside."""
    seen: list[list[Seen]] = [[] for _ in layers]

    def look_on(number: int) -> Any:
        def hook(layer: Attention, given: tuple[Any, ...], output: Tensor) -> None:
            seen[number].append(see(layer, given[0], given[1], given[3] if len(given) > 3 else None))

        return hook

    handles = [layer.register_forward_hook(look_on(number)) for number, layer in enumerate(layers)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
